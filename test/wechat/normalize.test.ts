import { describe, expect, test } from "vitest";
import { DecodeError } from "../../src/base/errors.ts";
import type { Content } from "../../src/domain/content.ts";
import { toDedupeKey } from "../../src/wechat/identity.ts";
import { type NormalizedMessage, normalizeMessage } from "../../src/wechat/normalize.ts";
import { parseXml } from "../../src/wechat/xml.ts";
import { hostileSamples, readHostile, readSample, xmlSamples } from "./fixtures.ts";

const messageInvalid = expect.objectContaining({ name: "DecodeError", code: "MESSAGE_INVALID" });

function normalize(file: string): NormalizedMessage {
  return normalizeMessage(parseXml(readSample(file)));
}

function contentOf(file: string): Content {
  const normalized = normalize(file);
  if (normalized.kind !== "message") throw new Error(`${file} is bookkeeping: ${normalized.name}`);
  return normalized.message.content;
}

/** A text message with some fields replaced, added or left out. */
function normalizeFields(fields: Record<string, string | null>): NormalizedMessage {
  const all = { ToUserName: "gh_1", FromUserName: "o1", CreateTime: "1760000000", MsgType: "text", Content: "hi", ...fields };
  const elements = Object.entries(all).map(([name, value]) => (value === null ? "" : `<${name}>${value}</${name}>`));
  return normalizeMessage(parseXml(`<xml>${elements.join("")}</xml>`));
}

describe("a contact's message", () => {
  test("keeps sender, receiver, time, id and text", () => {
    expect(normalize("oa-text.xml")).toEqual({
      kind: "message",
      accountName: "gh_1a2b3c4d5e6f",
      agentId: null,
      message: {
        openId: "oQw7Xs0Fd9Kt2Lm4Np6Rv8Yz1Bc3",
        dedupeKey: toDedupeKey(parseXml(readSample("oa-text.xml"))),
        vendorMessageId: "24871530000000011",
        sentAt: new Date("2025-10-09T08:53:20Z"),
        content: { type: "text", text: "你好，我的订单什么时候发货？" },
      },
    });
  });

  test.each<[string, Content]>([
    ["oa-text-menu-reply.xml", { type: "text", text: "满意", menuId: "101" }],
    [
      "oa-image.xml",
      {
        type: "image",
        mediaId: "r17pubpoqgAFxSEC15N0DcUMMAnhMTvYYPCwxw_NRvI-EFkPSTO8yUYVet3oKHJd",
        url: "http://mmbiz.qpic.cn/mmbiz_jpg/AbCdEf0123456789/0",
      },
    ],
    ["oa-voice.xml", { type: "voice", mediaId: "r17pubpoqgAFxSEC15N0DfEpiGWN1IAIOTA8IR5IqnUL6dSen03mYFngOYxahsbo", format: "amr" }],
    [
      "oa-voice-recognition.xml",
      {
        type: "voice",
        mediaId: "wlMg8Q-FtAmV4Wc0aPjyRqPIqYMuAaAnO4z8QHoY0uSr8MEDIAIDVOICE0001",
        format: "speex",
        recognition: "我要退货。",
      },
    ],
    ["wecom-voice.xml", { type: "voice", mediaId: "1idzWmGN-f7bMEDIAVOICE0001", format: "amr" }],
    [
      "oa-video.xml",
      {
        type: "video",
        mediaId: "LpJA9bW3JX2VI5qoTLP4ZOWVScSQuUg0RMGlYmDF1cH-lQo143YnzKvEjL0fbk3h",
        thumbMediaId: "LpJA9bW3JX2VI5qoTLP4ZK4WesEf0KTyQVrQ2Pouhy6fSPZX2eZzWcReAu-LP_97",
      },
    ],
    [
      "oa-shortvideo.xml",
      {
        type: "shortvideo",
        mediaId: "sv-JX2VI5qoTLP4ZOWVScSQuUg0RMGlYmDF1cH-lQo143YnzKvEjL0fbk3h0001",
        thumbMediaId: "sv-JX2VI5qoTLP4ZK4WesEf0KTyQVrQ2Pouhy6fSPZX2eZzWcReAu-LP_0001",
      },
    ],
    ["oa-location.xml", { type: "location", latitude: "31.237238", longitude: "121.666672", scale: "16", label: "浦东新区上丰路1270号" }],
    ["odd-location-empty-label.xml", { type: "location", latitude: "-33.868820", longitude: "151.209296", scale: "15" }],
    ["odd-link-html-entities-in-url.xml", { type: "link", title: "", description: "", url: "https://example.com/?a=1&amp;b=2" }],
    [
      "wecom-link.xml",
      {
        type: "link",
        title: "制度更新",
        description: "点击查看",
        url: "https://intranet.example.com/a?x=1&y=2",
        pictureUrl: "https://wework.qpic.cn/wwpic/link0001/0",
      },
    ],
    [
      "oa-file.xml",
      { type: "file", title: "报价 单.zip", fileKey: "BAAAAAAAAACJHA0y", md5: "95d98d3bf1b251a9e4a40f3bd88eef29", length: "1048576" },
    ],
    [
      "mp-miniprogrampage.xml",
      {
        type: "miniprogrampage",
        title: "商品详情",
        appId: "wx0123456789abcdef",
        pagePath: "pages/item/item?id=42&from=kf",
        thumbUrl: "http://mmbiz.qpic.cn/mmbiz_jpg/mp0002/0",
        thumbMediaId: "mpMEDIA0002",
      },
    ],
  ])("says what was sent: %s", (file, content) => {
    expect(contentOf(file)).toEqual(content);
  });

  test.each([
    ["odd-content-looks-like-number.xml", "00123"],
    ["odd-content-looks-like-exponent.xml", "1e5"],
    ["odd-content-looks-like-bool.xml", "true"],
    ["odd-content-long-digits.xml", "6222021234567890123"],
    ["odd-content-xml-text.xml", "<xml><MsgType>event</MsgType><Event>unsubscribe</Event></xml>"],
    ["odd-whitespace-content.xml", "  两端有空格\n第二行\t制表 \n"],
    ["odd-entities.xml", `1 < 2 && 3 > 2 "q" 'a' 😀你`],
    ["odd-entities-inside-cdata.xml", "&lt;b&gt; &amp; &#65;"],
    ["odd-cdata-split.xml", "a]]>b"],
    ["odd-mixed-cdata-and-text.xml", "pre <mid> post"],
    ["odd-empty-content.xml", ""],
    ["odd-content-self-closing.xml", ""],
    ["odd-nested-before-real.xml", "real"],
    ["odd-prototype-names.xml", "proto"],
    ["odd-msgtype-uppercase.xml", "x"],
  ])("keeps every character of its text: %s", (file, text) => {
    expect(contentOf(file)).toEqual({ type: "text", text });
  });

  test.each([
    ["odd-msgid-2pow63.xml", "9223372036854775807"],
    ["odd-msgid-above-2pow63.xml", "18446744073709551615"],
    ["odd-msgid-cdata-spaces.xml", "24871530000000210"],
    ["odd-text-without-msgid.xml", null],
  ])("keeps every digit of its id: %s", (file, id) => {
    expect(normalize(file)).toMatchObject({ message: { vendorMessageId: id } });
  });

  test.each([
    ["odd-agentid-zero.xml", "0"],
    ["odd-agentid-leading-zeros.xml", "001"],
    ["wecom-text.xml", "1000002"],
    ["wecom-event-batch-job-result.xml", null],
  ])("names its WeCom app as sent: %s", (file, agentId) => {
    expect(normalize(file)).toMatchObject({ agentId });
  });

  test.each([
    ["1760001011", "2025-10-09T09:10:11.000Z"],
    [" 1760001011 ", "2025-10-09T09:10:11.000Z"],
    ["1760001012345", "2025-10-09T09:10:12.345Z"],
    ["0", "1970-01-01T00:00:00.000Z"],
    ["99999999999", "5138-11-16T09:46:39.000Z"],
  ])("is dated in seconds, or with more than 11 digits in milliseconds: %j", (createTime, iso) => {
    expect(normalizeFields({ CreateTime: createTime })).toMatchObject({ message: { sentAt: new Date(iso) } });
  });

  test.each(["", " ", "-1", "1e9", "0x10", "1.5", "yesterday", "9".repeat(20), null])(
    "without a readable time is refused: %j",
    (createTime) => {
      expect(() => normalizeFields({ CreateTime: createTime })).toThrow(messageInvalid);
    },
  );

  test("of an unknown type is kept whole", () => {
    expect(contentOf("odd-unknown-msgtype.xml")).toEqual({ type: "unsupported", vendorType: "hologram", fields: { Foo: "bar" } });
    expect(contentOf("odd-empty-msgtype.xml")).toEqual({ type: "unsupported", vendorType: "", fields: { Content: "你好" } });
  });

  test.each(["image", "voice", "video", "location", "link", "miniprogrampage", "event", "__proto__", "constructor"])(
    "of type %s that lacks what makes it one is kept whole",
    (msgType) => {
      expect(normalizeFields({ MsgType: msgType })).toMatchObject({
        message: { content: { type: "unsupported", vendorType: msgType, fields: { Content: "hi" } } },
      });
    },
  );

  test("keeps everything below an unknown field by its path", () => {
    const unknown = normalizeFields({ MsgType: "new", Content: null, List: "<item>a</item><item>b</item>" });
    expect(unknown).toMatchObject({ message: { content: { fields: { "List.item[0]": "a", "List.item[1]": "b" } } } });
  });
});

describe("a contact's act", () => {
  test.each([
    ["oa-event-subscribe.xml", { event: "subscribe", key: undefined, fields: {} }],
    ["oa-event-subscribe-no-eventkey.xml", { event: "subscribe", key: undefined, fields: {} }],
    ["oa-event-subscribe-qrscene.xml", { event: "subscribe", key: "qrscene_110", fields: { Ticket: expect.any(String) } }],
    ["oa-event-subscribe-qrscene-string.xml", { event: "subscribe", key: "qrscene_shop_12_qrscene_a" }],
    ["oa-event-unsubscribe.xml", { event: "unsubscribe" }],
    ["oa-event-scan.xml", { event: "scan", vendorEvent: "SCAN", key: "110", fields: { Ticket: expect.any(String) } }],
    ["oa-event-click.xml", { event: "click", vendorEvent: "CLICK", key: "MENU_CONTACT_SERVICE" }],
    ["wecom-event-click.xml", { event: "click", vendorEvent: "click", key: "MENU_HELP" }],
    ["odd-event-mixed-case.xml", { event: "click", vendorEvent: "Click", key: "K1" }],
    ["oa-event-view.xml", { event: "view", vendorEvent: "VIEW", key: "https://shop.example.com/?a=1&b=2" }],
    [
      "oa-event-location.xml",
      { event: "location", vendorEvent: "LOCATION", fields: { Latitude: "31.267813", Longitude: "121.598755", Precision: "30.000000" } },
    ],
    ["wecom-event-enter-agent.xml", { event: "enter_agent", vendorEvent: "enter_agent", key: undefined, fields: {} }],
    [
      "oa-event-scancode-waitmsg.xml",
      { key: "MENU_SCAN_WAIT", fields: { "ScanCodeInfo.ScanType": "barcode", "ScanCodeInfo.ScanResult": "CODE_128,6901234567892" } },
    ],
    ["oa-event-user-get-card-spaced.xml", { event: "user_get_card", vendorEvent: "user_get_card", fields: { IsGiveByFriend: "0" } }],
    ["odd-unknown-event.xml", { event: "brand_new_event", fields: { "Payload.a": "1", "Payload.b": "2" } }],
    ["odd-nested-same-names.xml", { event: "vendor_event", fields: { "Extra.FromUserName": "evil" } }],
  ])("is an event with key and fields as sent: %s", (file, event) => {
    expect(contentOf(file)).toMatchObject({ type: "event", ...event });
  });
});

describe("bookkeeping of a platform", () => {
  test.each([
    ["wecom-event-kf-msg-or-event.xml", "kf_msg_or_event"],
    ["wecom-event-change-contact-update-user.xml", "change_contact.update_user"],
    ["wecom-event-open-approval-change-no-cdata.xml", "open_approval_change"],
    ["wecom-suite-ticket.xml", "suite_ticket"],
    ["component-verify-ticket.xml", "component_verify_ticket"],
    ["component-unauthorized.xml", "unauthorized"],
  ])("is named: %s", (file, name) => {
    expect(normalize(file)).toEqual({ kind: "bookkeeping", name });
  });
});

describe("every sample", () => {
  const callbacks = xmlSamples.filter(({ identity }) => identity !== undefined);

  test.each(callbacks)("is a message of its sender or bookkeeping: $file", ({ file, leafText, msgType, event, infoType }) => {
    const normalized = normalize(file);
    if (normalized.kind === "bookkeeping") {
      expect(["sys", undefined]).toContain(leafText?.FromUserName);
      expect(normalized.name.split(".")[0]).toBe(event ?? infoType);
    } else {
      expect(normalized.message.openId).toBe(leafText?.FromUserName?.trim());
      expect(normalized.accountName).toBe(leafText?.ToUserName?.trim());
      const { content } = normalized.message;
      expect(content.type === "unsupported" ? content.vendorType : content.type).toBe(
        content.type === "unsupported" ? msgType : msgType?.toLowerCase(),
      );
      if (content.type === "event") expect(content.vendorEvent).toBe(event);
    }
  });

  test.each(xmlSamples.filter(({ file }) => file.startsWith("envelope-") && file !== "envelope-oa-compat.xml"))(
    "that is only an envelope is refused: $file",
    ({ file }) => {
      expect(() => normalize(file)).toThrow(messageInvalid);
    },
  );

  test.each(hostileSamples)("that is hostile is understood or refused, never a crash: $file", (sample) => {
    let outcome: string;
    try {
      outcome = normalizeMessage(parseXml(readHostile(sample))).kind;
    } catch (error) {
      outcome = error instanceof DecodeError ? "refused" : "crashed";
    }
    expect(["message", "bookkeeping", "refused"]).toContain(outcome);
  });
});

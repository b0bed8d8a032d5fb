import { describe, expect, test } from "vitest";
import { toDedupeKey } from "../../src/wechat/identity.ts";
import { parseXml } from "../../src/wechat/xml.ts";
import { readSample, xmlSamples } from "./fixtures.ts";

const identified = xmlSamples.filter(({ identity }) => identity !== undefined);

function keyOf(file: string): string {
  return toDedupeKey(parseXml(readSample(file)));
}

function keyOfFields(fields: Record<string, string>): string {
  return toDedupeKey(
    parseXml(
      `<xml>${Object.entries(fields)
        .map(([name, value]) => `<${name}>${value}</${name}>`)
        .join("")}</xml>`,
    ),
  );
}

describe("a duplicate key", () => {
  test("is equal for two samples exactly when their identity is", () => {
    const keys = identified.map(({ file }) => keyOf(file));
    const identities = identified.map(({ identity }) => identity);
    // Each sample is named by the first one that shares its key or identity: both must name the same.
    expect(keys.map((key) => keys.indexOf(key))).toEqual(identities.map((identity) => identities.indexOf(identity)));
    expect(identified.length).toBeGreaterThan(150);
  });

  test.each([
    ["users that share a MsgId", "pair-same-msgid-user-a.xml", "pair-same-msgid-user-b.xml"],
    ["events of one user in one second", "pair-same-second-location.xml", "pair-same-second-view.xml"],
    ["apps that a member leaves at once", "pair-unsubscribe-agent-1000002.xml", "pair-unsubscribe-agent-1000003.xml"],
    ["external contacts added together", "pair-external-contact-a.xml", "pair-external-contact-b.xml"],
    ["ids that are equal as numbers", "odd-msgid-collision-pair-a.xml", "odd-msgid-collision-pair-b.xml"],
  ])("tells apart %s", (_name, one, other) => {
    expect(keyOf(one)).not.toBe(keyOf(other));
  });

  test.each(identified)("is equal for a retry that a relay wrote anew: $file", ({ file }) => {
    const root = parseXml(readSample(file));
    const retry = { ...root, text: "", children: root.children.map((field) => ({ ...field, text: ` ${field.text}\n` })).reverse() };
    expect(toDedupeKey(retry)).toBe(toDedupeKey(root));
  });

  test("tells apart two positions reported in one second", () => {
    const report = { FromUserName: "u", CreateTime: "1760000000", MsgType: "event", Event: "LOCATION", Latitude: "31.1" };
    expect(keyOfFields(report)).not.toBe(keyOfFields({ ...report, Latitude: "31.2" }));
  });

  test("tells apart two events that differ only below their first level", () => {
    const event = { FromUserName: "u", CreateTime: "1760000000", MsgType: "event", Event: "scancode_push" };
    const [one, other] = ["1", "2"].map((result) => keyOfFields({ ...event, ScanCodeInfo: `<ScanResult>${result}</ScanResult>` }));
    expect(one).not.toBe(other);
  });

  test("cannot be confused by values that look like two", () => {
    const message = { CreateTime: "1", MsgId: "3" };
    expect(keyOfFields({ ...message, FromUserName: "u,2", AgentID: "3" })).not.toBe(
      keyOfFields({ ...message, FromUserName: "u", AgentID: "2,3" }),
    );
  });

  test("of a message does not depend on what the message says", () => {
    const message = { FromUserName: "u", CreateTime: "1", MsgId: "3" };
    expect(keyOfFields({ ...message, PicUrl: "http://a/0" })).toBe(keyOfFields({ ...message, PicUrl: "http://b/0" }));
  });

  test("is short and made of letters that any column and log can hold", () => {
    expect(keyOf("oa-text.xml")).toMatch(/^[\w-]{43}$/);
  });
});

import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { DecodeError, type ErrorCode, VerificationError } from "../../src/base/errors.ts";
import { createHttpClient, type HttpClient } from "../../src/base/http-client.ts";
import { type CallbackCredential, type CallbackRequest, canUpload, type PassiveChannel } from "../../src/domain/channel.ts";
import type { Content } from "../../src/domain/content.ts";
import type { Credential } from "../../src/domain/credential.ts";
import { type AccessTokens, createAccessTokens } from "../../src/platform/access-tokens.ts";
import { decodeAesKey, decrypt, encrypt } from "../../src/wechat/cipher.ts";
import type { CallbackCredentials } from "../../src/wechat/credentials.ts";
import { sign, verifySignature } from "../../src/wechat/signature.ts";
import { childText, parseXml } from "../../src/wechat/xml.ts";
import { type Platform, startPlatform } from "./platform.ts";
import { createTokenStore } from "./token-store.ts";

export const NOW = new Date("2026-11-22T08:00:00Z");
export const ACCOUNT_ID = "shop";
export const TOKEN = "GreedIsGood";
export const ENCODING_AES_KEY = "h7ZycbpEh2vNdfkYulfw9pG95HjLYwmrKBFeqIktff6";
/** What a callback was signed and encrypted with, unless a test says otherwise. */
export const CREDENTIAL: CallbackCredential = { token: TOKEN, encodingAesKey: ENCODING_AES_KEY };
export const PLATFORM_SECRET = "a-secret-of-the-platform";
const OPEN_ID = "oJqxQwYRyZMXFTc8sipB5TSe6Vw4";
const NONCE = "1487905294";
const TOLERANCE_SECONDS = 600;

export interface ChannelSetup {
  http: HttpClient;
  tokens: AccessTokens;
  now: () => Date;
  apiBaseUrl: string;
  timestampToleranceSeconds: number;
  /** TOKEN and ENCODING_AES_KEY when absent. */
  credentials?: CallbackCredentials;
}

/** A secret that is not being rotated; undefined: the account has none. */
export function current(value: string | undefined): Credential[] {
  return value === undefined ? [] : [{ value, expiresAt: null }];
}

/** What the suite has to know of a channel to play its platform. */
export interface ChannelUnderTest {
  create(setup: ChannelSetup): PassiveChannel;
  receiverId: string;
  sendPath: string;
  tokenPath: string;
  /** An errcode that says the access token has ended, and one that says the secret is wrong. */
  expiredErrcode: number;
  wrongSecretErrcode: number;
  articlesMax: number;
  /** Where it is asked whether we may send, how a yes looks, and the errcode of a no. */
  permissionPath: string;
  permitted: Record<string, unknown>;
  forbiddenErrcode: number;
  /** The query of an encrypted callback. */
  callbackQuery(signed: { timestamp: string; nonce: string; msgSignature: string }): Record<string, string>;
  urlCheck(timestamp: string): { query: Record<string, string>; echo: string };
}

/** What every channel owes: only its platform gets in, everything said is read, each way of failing has its outcome. */
export function describeChannel(name: string, given: ChannelUnderTest): void {
  describe(`${name} as a channel`, () => {
    const key = decodeAesKey(ENCODING_AES_KEY);
    const http = createHttpClient();
    let platform: Platform;
    let channel: PassiveChannel;

    const create = (setup: Partial<ChannelSetup> = {}) => {
      const now = () => NOW;
      const tokens = createAccessTokens({ store: createTokenStore(now), now });
      return given.create({ http, tokens, now, apiBaseUrl: platform.url, timestampToleranceSeconds: TOLERANCE_SECONDS, ...setup });
    };

    beforeEach(async () => {
      platform = await startPlatform();
      platform.on(given.tokenPath, (_request, count) => ({ json: { access_token: `access-token-${count}`, expires_in: 7200 } }));
      platform.on(given.sendPath, () => ({ json: { errcode: 0, errmsg: "ok" } }));
      channel = create();
    });
    afterEach(() => platform.close());
    afterAll(() => http.close());

    const seal = (message: string, at = NOW, receiverId = given.receiverId) => sealed(encrypt(message, key, receiverId), at);
    const sealed = (ciphertext: string, at = NOW): CallbackRequest => {
      const timestamp = toSeconds(at);
      const msgSignature = sign([TOKEN, timestamp, NONCE, ciphertext]);
      const body = `<xml><ToUserName>${given.receiverId}</ToUserName><Encrypt><![CDATA[${ciphertext}]]></Encrypt></xml>`;
      return { query: given.callbackQuery({ timestamp, nonce: NONCE, msgSignature }), body: Buffer.from(body) };
    };

    describe("the URL check", () => {
      test("a genuine check is answered with the echo, exactly", () => {
        const { query, echo } = given.urlCheck(toSeconds(NOW));
        expect(channel.verifyUrl(query)).toBe(echo);
      });

      test("each parameter is needed, once and not empty", () => {
        const { query } = given.urlCheck(toSeconds(NOW));
        const names = Object.keys(query);
        expect(names).toHaveLength(4);
        for (const parameter of names) {
          for (const value of [undefined, "", [query[parameter] ?? "", query[parameter] ?? ""]]) {
            expect(() => channel.verifyUrl({ ...query, [parameter]: value })).toThrow(refusal("SIGNATURE_INVALID"));
          }
        }
      });

      test("a changed timestamp, nonce or signature is refused", () => {
        const { query } = given.urlCheck(toSeconds(NOW));
        for (const parameter of Object.keys(query).filter((each) => each !== "echostr")) {
          const changed = flipLast(query[parameter] ?? "");
          expect(() => channel.verifyUrl({ ...query, [parameter]: changed })).toThrow(refusal("SIGNATURE_INVALID"));
        }
      });

      test("a stale check is refused", () => {
        const { query } = given.urlCheck(toSeconds(secondsAfter(NOW, -TOLERANCE_SECONDS - 1)));
        expect(() => channel.verifyUrl(query)).toThrow(refusal("TIMESTAMP_STALE"));
      });
    });

    describe("a callback", () => {
      test("is opened with every character of its text, and the way back for a reply", () => {
        const opened = channel.open(seal(textMessage("  007 😀 &amp; ]] ")));
        expect(opened).toMatchObject({
          kind: "message",
          message: { openId: OPEN_ID, vendorMessageId: "18446744073709551615", content: { type: "text", text: "  007 😀 &amp; ]] " } },
          replyTo: { openId: OPEN_ID, accountName: "gh_b4f0e22ae50e", credential: CREDENTIAL },
        });
      });

      test("opened again gives the same, so that a redelivery is recognised", () => {
        const request = seal(textMessage("hello"));
        expect(channel.open(request)).toEqual(channel.open(request));
      });

      test("of an unknown type is genuine, and kept as unsupported", () => {
        const opened = channel.open(seal(textMessage("?").replace("[text]", "[hologram]")));
        expect(opened).toMatchObject({ message: { content: { type: "unsupported", vendorType: "hologram" } } });
      });

      test("that no contact caused is bookkeeping", () => {
        const notice = `<xml><InfoType>suite_ticket</InfoType><TimeStamp>${toSeconds(NOW)}</TimeStamp></xml>`;
        expect(channel.open(seal(notice))).toEqual({ kind: "bookkeeping", name: "suite_ticket" });
      });

      test("needs each signed parameter, once and not empty", () => {
        const { query, body } = seal(textMessage("hello"));
        for (const parameter of ["msg_signature", "timestamp", "nonce"]) {
          const value = String(query[parameter]);
          for (const bad of [undefined, "", [value], [value, value]]) {
            expect(() => channel.open({ query: { ...query, [parameter]: bad }, body })).toThrow(refusal("SIGNATURE_INVALID"));
          }
        }
      });

      test("with a changed timestamp, nonce, signature or ciphertext is refused before anything is decrypted", () => {
        const { query, body } = seal(textMessage("hello"));
        for (const parameter of ["msg_signature", "timestamp", "nonce"]) {
          const changed = flipLast(String(query[parameter]));
          expect(() => channel.open({ query: { ...query, [parameter]: changed }, body })).toThrow(refusal("SIGNATURE_INVALID"));
        }
        const rubbish = Buffer.from("<xml><Encrypt>no base64 at all</Encrypt></xml>");
        expect(() => channel.open({ query, body: rubbish })).toThrow(refusal("SIGNATURE_INVALID"));
      });

      test("for another receiver is refused", () => {
        for (const receiverId of ["wx0000000000000000", "", `${given.receiverId}x`]) {
          expect(() => channel.open(seal(textMessage("hello"), NOW, receiverId))).toThrow(refusal("RECEIVER_MISMATCH"));
        }
      });

      test("is refused when its timestamp is too old or too far ahead, and taken up to the limit", () => {
        for (const sign of [-1, 1]) {
          const atLimit = secondsAfter(NOW, sign * TOLERANCE_SECONDS);
          expect(channel.open(seal(textMessage("hello"), atLimit))).toMatchObject({ kind: "message" });
          const beyond = secondsAfter(NOW, sign * (TOLERANCE_SECONDS + 1));
          expect(() => channel.open(seal(textMessage("hello"), beyond))).toThrow(refusal("TIMESTAMP_STALE"));
        }
      });

      test("of any age is taken with a tolerance of 0", () => {
        const tolerant = create({ timestampToleranceSeconds: 0 });
        expect(tolerant.open(seal(textMessage("hello"), new Date(0)))).toMatchObject({ kind: "message" });
      });

      test("without msg_signature is refused before its body is looked at", () => {
        const { query } = seal(textMessage("hello"));
        const request = { query: { ...query, msg_signature: undefined }, body: Buffer.from("not XML") };
        expect(() => channel.open(request)).toThrow(refusal("SIGNATURE_INVALID"));
      });

      test("that cannot be read is a decode error, whatever its signature", () => {
        const { query } = seal(textMessage("hello"));
        const bodies = [
          "",
          "not XML",
          '{"Encrypt":"x"}',
          "<html></html>",
          "<xml></xml>",
          "<xml><Encrypt> </Encrypt></xml>",
          '<!DOCTYPE xml [<!ENTITY e "x">]><xml><Encrypt>&e;</Encrypt></xml>',
        ];
        for (const body of bodies) expect(() => channel.open({ query, body: Buffer.from(body) })).toThrow(DecodeError);
      });

      test("that is signed but cannot be decrypted is a decode error", () => {
        const otherKey = decodeAesKey("A".repeat(43));
        for (const ciphertext of [
          encrypt(textMessage("hello"), otherKey, given.receiverId),
          "AAAA",
          "not*base64",
          "AAAAAAAAAAAAAAAAAAAAAA==",
        ]) {
          expect(() => channel.open(sealed(ciphertext))).toThrow(DecodeError);
        }
      });

      test("with a DOCTYPE inside its encryption is a decode error", () => {
        expect(() => channel.open(seal(`<!DOCTYPE xml>${textMessage("hello")}`))).toThrow(DecodeError);
      });
    });

    describe("a passive reply", () => {
      const to = { openId: OPEN_ID, accountName: "gh_b4f0e22ae50e", credential: CREDENTIAL };

      test("decrypts to what was to be said, signed for the platform", () => {
        const { contentType, body } = channel.renderReply(to, { type: "text", text: "您好 ]]> 😀" }, NOW);
        expect(contentType).toContain("xml");
        const envelope = parseXml(body);
        const [ciphertext, timestamp, nonce, signature] = ["Encrypt", "TimeStamp", "Nonce", "MsgSignature"].map(
          (part) => childText(envelope, part) ?? "",
        );
        expect(timestamp).toBe(toSeconds(NOW));
        expect(nonce).toMatch(/^\d+$/);
        expect(verifySignature([TOKEN, timestamp ?? "", nonce ?? "", ciphertext ?? ""], signature ?? "")).toBe(true);

        const reply = parseXml(decrypt(ciphertext ?? "", key, given.receiverId));
        expect(childText(reply, "Content")).toBe("您好 ]]> 😀");
        expect(childText(reply, "ToUserName")).toBe(OPEN_ID);
        expect(childText(reply, "FromUserName")).toBe("gh_b4f0e22ae50e");
        expect(childText(reply, "CreateTime")).toBe(toSeconds(NOW));
      });

      test("can be text and as many articles as the platform shows, and nothing that the platform has no form for", () => {
        expect(channel.canRender({ type: "text", text: "hello" })).toBe(true);
        expect(channel.canRender(news(given.articlesMax))).toBe(true);
        expect(channel.canRender(news(given.articlesMax + 1))).toBe(false);
        expect(channel.canRender({ type: "location", latitude: "1", longitude: "2" })).toBe(false);
      });
    });

    describe("sending", () => {
      const hello: Content = { type: "text", text: "hello" };
      const send = (content: Content = hello, signal = new AbortController().signal) => channel.send("zhangsan", content, signal);
      const sent = () => platform.requests(given.sendPath);
      const tokenRequests = () => platform.requests(given.tokenPath);

      test("a text arrives as UTF-8 JSON without an escape", async () => {
        const text = '您好 "😀"\n\u0001\u001b\ud83d </xml>';
        expect(await send({ type: "text", text })).toEqual({ kind: "done" });
        const [request] = sent();
        expect(request?.method).toBe("POST");
        expect(request?.headers["content-type"]).toBe("application/json; charset=utf-8");
        expect(request?.query.get("access_token")).toBe("access-token-1");
        expect(request?.body).not.toContain("\\u");
        expect(JSON.parse(request?.body ?? "")).toMatchObject({
          touser: "zhangsan",
          msgtype: "text",
          text: { content: '您好 "😀"\n\ufffd </xml>' },
        });
      });

      test("fifty messages at once ask for one token", async () => {
        const outcomes = await Promise.all(Array.from({ length: 50 }, () => send()));
        expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["done"]));
        expect(sent()).toHaveLength(50);
        expect(tokenRequests()).toHaveLength(1);
      });

      test("an expired token is replaced once and the message sent again once", async () => {
        platform.on(given.sendPath, ({ query }) => ({
          json: query.get("access_token") === "access-token-1" ? { errcode: given.expiredErrcode, errmsg: "expired" } : { errcode: 0 },
        }));
        expect(await send()).toEqual({ kind: "done" });
        expect(tokenRequests()).toHaveLength(2);
        expect(sent().map(({ query }) => query.get("access_token"))).toEqual(["access-token-1", "access-token-2"]);
      });

      test("fifty messages that find the token expired replace it once", async () => {
        platform.on(given.sendPath, ({ query }) => ({
          json: query.get("access_token") === "access-token-1" ? { errcode: given.expiredErrcode, errmsg: "expired" } : { errcode: 0 },
        }));
        const outcomes = await Promise.all(Array.from({ length: 50 }, () => send()));
        expect(outcomes.filter(({ kind }) => kind === "done")).toHaveLength(50);
        expect(tokenRequests()).toHaveLength(2);
      });

      test("a token that is refused again is not replaced a third time", async () => {
        platform.on(given.sendPath, () => ({ json: { errcode: given.expiredErrcode, errmsg: "expired" } }));
        expect(await send()).toMatchObject({ kind: "retry", code: String(given.expiredErrcode) });
        expect(tokenRequests()).toHaveLength(2);
        expect(sent()).toHaveLength(2);
      });

      test.each([
        {},
        { expires_in: null },
        { expires_in: 0 },
        { expires_in: -1 },
        { expires_in: "soon" },
        { expires_in: 1e12 },
        { expires_in: {} },
      ])("a token that comes with %j in place of a lifetime is used, for a short time, and not asked for each time", async (lifetime) => {
        platform.on(given.tokenPath, (_request, count) => ({ json: { access_token: `access-token-${count}`, ...lifetime } }));
        let nowMs = NOW.getTime();
        const now = () => new Date(nowMs);
        channel = create({ now, tokens: createAccessTokens({ store: createTokenStore(now), now }) });
        for (let count = 0; count < 3; count += 1) expect(await send()).toEqual({ kind: "done" });
        expect(tokenRequests()).toHaveLength(1);
        nowMs += 300_000;
        expect(await send()).toEqual({ kind: "done" });
        expect(tokenRequests()).toHaveLength(2);
      });

      test("a token without a lifetime that is refused again and again is replaced once per message", async () => {
        platform.on(given.tokenPath, () => ({ json: { access_token: "access-token-1" } }));
        platform.on(given.sendPath, () => ({ json: { errcode: given.expiredErrcode, errmsg: "expired" } }));
        expect(await send()).toMatchObject({ kind: "retry", code: String(given.expiredErrcode) });
        expect(tokenRequests()).toHaveLength(2);
        expect(sent()).toHaveLength(2);
      });

      test("a lifetime may be a string", async () => {
        platform.on(given.tokenPath, () => ({ json: { access_token: "access-token-1", expires_in: "7200" } }));
        const check = await channel.testAccess(new AbortController().signal);
        expect(check).toMatchObject({ ok: true, sentence: expect.stringContaining("good for 7200 seconds") });
        expect(check).not.toHaveProperty("remedy");
      });

      test("a wrong secret is asked about once, sends nothing, and is worth another try", async () => {
        platform.on(given.tokenPath, () => ({ json: { errcode: given.wrongSecretErrcode, errmsg: "invalid credential" } }));
        const outcome = await send();
        expect(outcome).toMatchObject({ kind: "retry", code: String(given.wrongSecretErrcode) });
        expect(outcome).toHaveProperty("detail", expect.stringContaining("Secret is wrong"));
        expect(tokenRequests()).toHaveLength(1);
        expect(sent()).toHaveLength(0);
      });

      test("whatever keeps a token away, the message is worth another try and never uncertain", async () => {
        const failures = [
          { kind: "drop" } as const,
          { status: 504 },
          { status: 200, body: "<html>" },
          { json: { errcode: 0 } },
          { json: { access_token: "", expires_in: 7200 } },
        ];
        for (const failure of failures) {
          platform.on(given.tokenPath, () => failure);
          expect(await send()).toMatchObject({ kind: "retry", detail: expect.stringContaining("no access token") });
        }
        expect(sent()).toHaveLength(0);
      });

      test("an answer without errcode and errmsg is a success", async () => {
        for (const json of [{}, { errcode: 0, errmsg: null }, { errcode: "0" }]) {
          platform.on(given.sendPath, () => ({ json }));
          expect(await send()).toEqual({ kind: "done" });
        }
      });

      test("an unknown errcode is a refusal with the platform's own words", async () => {
        platform.on(given.sendPath, () => ({ json: { errcode: 99999, errmsg: "something new, rid: 1-2" } }));
        expect(await send()).toEqual({ kind: "rejected", code: "99999", detail: expect.stringContaining("something new, rid: 1-2") });
      });

      test.each([
        [429, "retry"],
        [500, "retry"],
        [503, "retry"],
        [403, "retry"],
        [302, "retry"],
        [502, "uncertain"],
        [504, "uncertain"],
        [524, "uncertain"],
      ])("HTTP %d is %s", async (status, kind) => {
        platform.on(given.sendPath, () => ({ status }));
        expect(await send()).toMatchObject({ kind, code: `WECHAT_HTTP_${status}` });
      });

      test("Retry-After is honoured, in seconds or as a date", async () => {
        for (const value of ["7", "7 ", new Date(NOW.getTime() + 7_000).toUTCString()]) {
          platform.on(given.sendPath, () => ({ status: 503, headers: { "retry-after": value } }));
          expect(await send()).toMatchObject({ kind: "retry", retryAfterMs: 7_000 });
        }
        platform.on(given.sendPath, () => ({ status: 503, headers: { "retry-after": "soon" } }));
        expect(await send()).not.toHaveProperty("retryAfterMs");
      });

      test.each<[string, string | Buffer, Record<string, string>]>([
        ["begins with a byte order mark", '\ufeff{"errcode":0,"errmsg":"ok"}', {}],
        ["is UTF-16", Buffer.from('\ufeff{"errcode":0,"errmsg":"ok"}', "utf16le"), {}],
        ["is gzip'd unasked", gzipSync('{"errcode":0,"errmsg":"ok"}'), { "content-encoding": "gzip" }],
        ["has raw control characters in errmsg", '{"errcode":0,"errmsg":"o\tk\u0000\u0007\n"}', {}],
        ["is padded and followed by something else", '\r\n {"errcode":0,"errmsg":"a } in it"}\n\u0000<!-- proxy -->', {}],
        ["comes twice", '{"errcode":0,"errmsg":"ok"}{"errcode":-1}', {}],
        [
          "is GBK",
          Buffer.from("7b22657272636f6465223a302c226572726d7367223a22b3c9b9a6227d", "hex"),
          { "content-type": "text/plain; charset=GBK" },
        ],
        ["is not the charset that it declares", '{"errcode":0,"errmsg":"成功"}', { "content-type": "text/plain; charset=gbk" }],
        ["declares a charset that there is not", '{"errcode":0,"errmsg":"ok"}', { "content-type": "text/plain; charset=x-none" }],
        ["has invalid UTF-8 in errmsg", Buffer.from('{"errcode":0,"errmsg":"\xe4\xbd"}', "latin1"), {}],
        ["has its errcode as a padded string", '{"errcode":" 0 ","errmsg":"ok"}', {}],
        ["has an errcode of null", '{"errcode":null}', {}],
        ["is called text/html", '{"errcode":0}', { "content-type": "text/html" }],
      ])("an answer that %s is read: the message is sent, not uncertain", async (_what, body, headers) => {
        platform.on(given.sendPath, () => ({ status: 200, headers, body }));
        expect(await send()).toEqual({ kind: "done" });
      });

      test("a refusal is read although its JSON is broken, a success is not", async () => {
        for (const body of [
          '{"errcode":99999,"errmsg":"invalid "touser" hint"}',
          '{"errcode":99999,"errmsg":"cut o',
          '{"errcode":"99999", oops',
        ]) {
          platform.on(given.sendPath, () => ({ status: 200, body }));
          expect(await send()).toMatchObject({ kind: "rejected", code: "99999" });
        }
        platform.on(given.sendPath, () => ({ status: 200, body: '{"errcode":0,"errmsg":"cut o' }));
        expect(await send()).toMatchObject({ kind: "uncertain", code: "WECHAT_ANSWER_UNREADABLE" });
      });

      test("a refusal in GBK keeps the platform's words, control characters become blanks", async () => {
        const body = Buffer.from("7b22657272636f6465223a39393939392c226572726d7367223a22b3c9b9a6075c75303030307a227d", "hex");
        platform.on(given.sendPath, () => ({ status: 200, headers: { "content-type": "application/json;charset=gb2312" }, body }));
        expect(await send()).toMatchObject({ kind: "rejected", detail: expect.stringContaining("(成功 z)") });
      });

      test("an errcode counts on another HTTP status too, unless that says that WeChat did not answer", async () => {
        for (const [status, kind, code] of [
          [400, "rejected", "99999"],
          [500, "rejected", "99999"],
          [502, "uncertain", "WECHAT_HTTP_502"],
          [504, "uncertain", "WECHAT_HTTP_504"],
        ] as const) {
          platform.on(given.sendPath, () => ({ status, body: '{"errcode":99999,"errmsg":"no"}' }));
          expect(await send()).toMatchObject({ kind, code });
        }
        platform.on(given.sendPath, () => ({ status: 500, body: '{"errcode":0,"errmsg":"ok"}' }));
        expect(await send()).toMatchObject({ kind: "uncertain", code: "WECHAT_HTTP_500" });
        platform.on(given.sendPath, () => ({ status: 500, body: '{"message":"no errcode"}' }));
        expect(await send()).toMatchObject({ kind: "retry", code: "WECHAT_HTTP_500" });
      });

      test("an answer that is not the platform's JSON leaves the message uncertain", async () => {
        for (const body of ["", "<html>", "[]", "null", '{"errcode":"many"}']) {
          platform.on(given.sendPath, () => ({ status: 200, body }));
          expect(await send()).toMatchObject({ kind: "uncertain", code: "WECHAT_ANSWER_UNREADABLE" });
        }
      });

      test("a lost answer leaves the message uncertain", async () => {
        platform.on(given.sendPath, () => ({ kind: "drop" }));
        expect(await send()).toMatchObject({ kind: "uncertain", code: "WECHAT_ANSWER_LOST" });
      });

      test("no connection is worth another try", async () => {
        const store = createTokenStore(() => NOW);
        await store.put(ACCOUNT_ID, { value: "access-token-0", expiresAt: secondsAfter(NOW, 60) });
        const unreachable = create({ tokens: createAccessTokens({ store, now: () => NOW }) });
        await platform.close();
        const outcome = await unreachable.send("zhangsan", hello, new AbortController().signal);
        expect(outcome).toMatchObject({ kind: "retry", code: "WECHAT_UNREACHABLE" });
      });

      test("stopped before it left, a message is worth another try; stopped after, it is uncertain", async () => {
        expect(await send(hello, AbortSignal.abort())).toMatchObject({ kind: "retry", code: "STOPPED" });
        expect(sent()).toHaveLength(0);

        const stop = new AbortController();
        platform.on(given.sendPath, () => {
          stop.abort();
          return { kind: "hang" };
        });
        expect(await send(hello, stop.signal)).toMatchObject({ kind: "uncertain", code: "WECHAT_ANSWER_LOST" });
      });

      test("no outcome tells a secret or a token", async () => {
        const details: unknown[] = [];
        for (const reply of [{ status: 503 }, { status: 502 }, { kind: "drop" } as const, { json: { errcode: given.expiredErrcode } }]) {
          platform.on(given.sendPath, () => reply);
          details.push(await send());
        }
        platform.on(given.tokenPath, () => ({ json: { errcode: given.wrongSecretErrcode } }));
        details.push(await create().send("zhangsan", hello, new AbortController().signal));
        details.push(await create().testAccess(new AbortController().signal));
        expect(JSON.stringify(details)).not.toMatch(new RegExp(`access-token-|access_token=|${PLATFORM_SECRET}|${TOKEN}`));
      });
    });

    describe("media known by their address", () => {
      const UPLOAD = "/cgi-bin/media/upload";
      const AMR = "#!AMR\n and silence";
      const voice = (path = "/voice") => ({ type: "voice", url: platform.url + path }) as const;
      const prepare = (content: Content = voice(), signal = new AbortController().signal) => {
        if (!canUpload(channel)) throw new Error("the channel takes no uploads");
        return channel.prepare(content, signal);
      };
      const uploads = () => platform.requests(UPLOAD);

      beforeEach(() => {
        platform.on("/voice", () => ({ status: 200, headers: { "content-type": "text/html" }, body: AMR }));
        platform.on(UPLOAD, () => ({ json: { type: "voice", media_id: "media-1", created_at: 1 } }));
      });

      test("are uploaded, and can then be sent", async () => {
        const prepared = await prepare();
        expect(prepared).toEqual({ kind: "ready", content: { ...voice(), mediaId: "media-1" } });
        expect(uploads()[0]?.query.get("type")).toBe("voice");
        expect(uploads()[0]?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
        expect(uploads()[0]?.body).toContain(AMR);
        expect(prepared.kind === "ready" && channel.canSend(prepared.content)).toBe(true);
      });

      test("are what can be prepared; what has an id or no address is not", () => {
        if (!canUpload(channel)) throw new Error("the channel takes no uploads");
        const { canPrepare } = channel;
        for (const type of ["image", "voice", "video"] as const) {
          expect(canPrepare({ type, url: "https://media.example/1" })).toBe(true);
          expect(canPrepare({ type, url: "https://media.example/1", mediaId: "m1" })).toBe(false);
          expect(canPrepare({ type })).toBe(false);
        }
        expect(canPrepare({ type: "link", title: "", description: "", url: "https://media.example/1" })).toBe(false);
      });

      test("that the platform would not take are not uploaded", async () => {
        platform.on("/voice", () => ({ status: 200, body: "<html>not a voice</html>" }));
        expect(await prepare()).toMatchObject({ kind: "unfit", code: "MEDIA_TYPE_UNSUPPORTED" });
        platform.on("/voice", () => ({ status: 200, body: AMR + "x".repeat(2 * 1024 * 1024) }));
        expect(await prepare()).toMatchObject({ kind: "unfit", code: "MEDIA_TOO_LARGE" });
        platform.on("/voice", () => ({ status: 404 }));
        expect(await prepare()).toMatchObject({ kind: "unfit", code: "MEDIA_MISSING" });
        expect(uploads()).toHaveLength(0);
      });

      test("whose server fails are worth another try, those at a private address none", async () => {
        platform.on("/voice", () => ({ status: 500 }));
        expect(await prepare()).toMatchObject({ kind: "unreachable", code: "MEDIA_UNREACHABLE" });
        const refused = await prepare({ type: "voice", url: "http://169.254.169.254/voice" });
        expect(refused).toMatchObject({ kind: "stopped", outcome: { kind: "rejected", code: "MEDIA_ADDRESS_REFUSED" } });
      });

      test("are uploaded again with a new token when the first was refused", async () => {
        platform.on(UPLOAD, ({ query }) => ({
          json: query.get("access_token") === "access-token-1" ? { errcode: given.expiredErrcode, errmsg: "" } : { media_id: "media-2" },
        }));
        expect(await prepare()).toMatchObject({ kind: "ready", content: { mediaId: "media-2" } });
      });

      test("whose upload fails in whatever way are never uncertain", async () => {
        const failures = [
          { kind: "drop" } as const,
          { status: 504 },
          { status: 200, body: "<html>" },
          { json: {} },
          { json: { errcode: -1 } },
        ];
        for (const failure of failures) {
          platform.on(UPLOAD, () => failure);
          expect(await prepare()).toMatchObject({ kind: "stopped", outcome: { kind: "retry" } });
        }
        platform.on(UPLOAD, () => ({ json: { errcode: 40_005, errmsg: "invalid file type" } }));
        expect(await prepare()).toMatchObject({ kind: "unfit", code: "40005" });
        expect(await prepare(voice(), AbortSignal.abort())).toMatchObject({ kind: "stopped" });
      });
    });

    describe("the look at the keys", () => {
      test("finds nothing wrong with an account whose callbacks are real", () => {
        expect(channel.testKeys()).toEqual({ ok: true, sentence: expect.stringContaining("well formed") });
      });
    });

    describe("the permission test", () => {
      const testPermission = () => channel.testPermission(new AbortController().signal);

      test("is passed with a look that no contact notices", async () => {
        platform.on(given.permissionPath, () => ({ json: given.permitted }));
        expect(await testPermission()).toEqual({ ok: true, sentence: expect.stringContaining("may send") });
        expect(platform.requests(given.permissionPath)).toHaveLength(1);
        expect(platform.requests(given.sendPath)).toEqual([]);
      });

      test("says what the platform holds against the account, and what to do", async () => {
        platform.on(given.permissionPath, () => ({ json: { errcode: given.forbiddenErrcode, errmsg: "" } }));
        const code = String(given.forbiddenErrcode);
        expect(await testPermission()).toMatchObject({ ok: false, code, why: expect.any(String), remedy: expect.any(String) });
      });

      test("tells how far our clock is from the platform's", async () => {
        platform.on(given.permissionPath, () => ({ json: { errcode: given.forbiddenErrcode, errmsg: "" } }));
        expect(await testPermission()).toMatchObject({ clockOffsetMs: expect.any(Number) });
      });
    });

    describe("the access test", () => {
      const testAccess = () => channel.testAccess(new AbortController().signal);

      test("asks the platform each time, even when a token is remembered", async () => {
        expect(await testAccess()).toMatchObject({ ok: true, sentence: expect.stringContaining(given.receiverId) });
        await channel.send("zhangsan", { type: "text", text: "hello" }, new AbortController().signal);
        platform.on(given.tokenPath, () => ({ json: { errcode: given.wrongSecretErrcode, errmsg: "invalid" } }));
        const sentence = expect.stringContaining("Secret is wrong");
        expect(await testAccess()).toMatchObject({ ok: false, sentence, why: expect.any(String), remedy: expect.any(String) });
      });

      test("advises when the token comes without a lifetime", async () => {
        platform.on(given.tokenPath, () => ({ json: { access_token: "access-token-1", expires_in: 0 } }));
        const sentence = expect.stringContaining("expires_in is 0, so 300 seconds are assumed");
        expect(await testAccess()).toMatchObject({ ok: true, sentence, remedy: expect.stringContaining("apiBaseUrl") });
      });

      test("says so when the platform cannot be reached", async () => {
        await platform.close();
        const sentence = expect.stringContaining("no connection");
        expect(await testAccess()).toMatchObject({ ok: false, sentence, remedy: expect.stringContaining("apiBaseUrl") });
      });
    });
  });
}

export function textMessage(text: string): string {
  return (
    `<xml><ToUserName><![CDATA[gh_b4f0e22ae50e]]></ToUserName><FromUserName><![CDATA[${OPEN_ID}]]></FromUserName>` +
    `<CreateTime>${toSeconds(NOW)}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${text}]]></Content>` +
    `<MsgId>18446744073709551615</MsgId></xml>`
  );
}

export function news(count: number): Content {
  const article = { title: "标题", description: "more", url: "https://example.com/1", pictureUrl: "https://example.com/1.png" };
  return { type: "news", articles: Array.from({ length: count }, () => article) };
}

export function toSeconds(at: Date): string {
  return String(Math.floor(at.getTime() / 1_000));
}

/** Matches a VerificationError with this code. */
export function refusal(code: ErrorCode): unknown {
  return expect.objectContaining({ name: VerificationError.name, code });
}

function secondsAfter(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1_000);
}

function flipLast(text: string): string {
  return text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");
}

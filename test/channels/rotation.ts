import { afterAll, describe, expect, test } from "vitest";
import { createHttpClient } from "../../src/base/http-client.ts";
import type { CallbackCredential, CallbackRequest } from "../../src/domain/channel.ts";
import { createAccessTokens } from "../../src/platform/access-tokens.ts";
import { decodeAesKey, decrypt, encrypt } from "../../src/wechat/cipher.ts";
import { sign, verifySignature } from "../../src/wechat/signature.ts";
import { childText, parseXml } from "../../src/wechat/xml.ts";
import { type ChannelUnderTest, ENCODING_AES_KEY, NOW, refusal, TOKEN, textMessage, toSeconds } from "./conformance.ts";
import { createTokenStore } from "./token-store.ts";

const NEW_TOKEN = "TheNewToken";
const NEW_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const OVERLAP_END = new Date(NOW.getTime() + 60_000);

const OLD: CallbackCredential = { token: TOKEN, encodingAesKey: ENCODING_AES_KEY };
const NEW: CallbackCredential = { token: NEW_TOKEN, encodingAesKey: NEW_KEY };
/** The console may be changed before us or after us, and one field without the other. */
const PAIRINGS: [name: string, credential: CallbackCredential][] = [
  ["both old", OLD],
  ["both new", NEW],
  ["old token, new key", { ...NEW, token: TOKEN }],
  ["new token, old key", { ...OLD, token: NEW_TOKEN }],
];

/** What every channel owes while token and EncodingAESKey are rotated: no genuine callback is lost, and no old value outlives its overlap. */
export function describeRotation(name: string, given: ChannelUnderTest): void {
  describe(`${name} while its secrets are rotated`, () => {
    const http = createHttpClient();
    afterAll(() => http.close());

    let now = NOW;
    const clock = () => now;
    /** Made once: what a process has in memory must notice the end by itself. */
    const channel = given.create({
      http,
      tokens: createAccessTokens({ store: createTokenStore(clock), now: clock }),
      now: clock,
      apiBaseUrl: "http://127.0.0.1:9",
      timestampToleranceSeconds: 600,
      credentials: {
        token: [
          { value: NEW_TOKEN, expiresAt: null },
          { value: TOKEN, expiresAt: OVERLAP_END },
        ],
        encodingAesKey: [
          { value: NEW_KEY, expiresAt: null },
          { value: ENCODING_AES_KEY, expiresAt: OVERLAP_END },
        ],
      },
    });

    const seal = ({ token, encodingAesKey }: CallbackCredential): CallbackRequest => {
      const ciphertext = encrypt(textMessage("hello"), decodeAesKey(encodingAesKey), given.receiverId);
      const timestamp = toSeconds(NOW);
      const msgSignature = sign([token, timestamp, "77", ciphertext]);
      const query = given.callbackQuery({ timestamp, nonce: "77", msgSignature });
      return { query, body: Buffer.from(`<xml><Encrypt>${ciphertext}</Encrypt></xml>`) };
    };
    const replyTo = (credential: CallbackCredential) => {
      const opened = channel.open(seal(credential));
      if (opened.kind !== "message") throw new Error("a text is a message");
      return opened.replyTo;
    };

    test.each(PAIRINGS)("a callback is opened and its reply sealed with its own credential: %s", (_name, credential) => {
      now = NOW;
      const { body } = channel.renderReply(replyTo(credential), { type: "text", text: "yes" }, now);
      expect(unseal(body, credential, given.receiverId)).toContain("<![CDATA[yes]]>");
    });

    test("once the overlap is over an old token and an old key are refused, and the new ones still work", () => {
      now = new Date(OVERLAP_END.getTime() - 1);
      expect(channel.open(seal(OLD)).kind).toBe("message");
      now = OVERLAP_END;
      expect(() => channel.open(seal(OLD))).toThrow(refusal("SIGNATURE_INVALID"));
      expect(() => channel.open(seal({ ...NEW, token: TOKEN }))).toThrow(refusal("SIGNATURE_INVALID"));
      expect(() => channel.open(seal({ ...OLD, token: NEW_TOKEN }))).toThrow(expect.objectContaining({ code: "CIPHERTEXT_INVALID" }));
      expect(channel.open(seal(NEW)).kind).toBe("message");
    });

    test("a callback that came within the overlap gets its reply in its own credential after it", () => {
      now = NOW;
      const to = replyTo(OLD);
      now = OVERLAP_END;
      const { body } = channel.renderReply(to, { type: "text", text: "late" }, now);
      expect(unseal(body, OLD, given.receiverId)).toContain("<![CDATA[late]]>");
    });

    test("the URL check with the old credential is answered until the overlap is over", () => {
      now = NOW;
      const { query, echo } = given.urlCheck(toSeconds(NOW));
      expect(channel.verifyUrl(query)).toBe(echo);
      now = OVERLAP_END;
      expect(() => channel.verifyUrl(query)).toThrow(refusal("SIGNATURE_INVALID"));
    });
  });
}

/** As the platform reads a reply: with the one credential that it used. */
function unseal(body: string, { token, encodingAesKey }: CallbackCredential, receiverId: string): string {
  const envelope = parseXml(body);
  const [ciphertext = "", timestamp = "", nonce = "", signature = ""] = ["Encrypt", "TimeStamp", "Nonce", "MsgSignature"].map((part) =>
    childText(envelope, part),
  );
  expect(verifySignature([token, timestamp, nonce, ciphertext], signature)).toBe(true);
  return decrypt(ciphertext, decodeAesKey(encodingAesKey), receiverId);
}

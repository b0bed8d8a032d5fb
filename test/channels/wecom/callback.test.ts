import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeAesKey, encrypt } from "../../../src/wechat/cipher.ts";
import { sign } from "../../../src/wechat/signature.ts";
import { ENCODING_AES_KEY, NOW, refusal, TOKEN, textMessage, toSeconds } from "../conformance.ts";
import { CORP_ID, createApp } from "./app.ts";

interface Vector {
  id: string;
  op: string;
  token: string;
  encodingAESKey: string;
  receiveId: string;
  timestamp: string;
  nonce: string;
  msgSignature: string;
  encrypt: string;
  plaintext: string;
  expect: { ok: boolean };
}

const vectors: Vector[] = JSON.parse(readFileSync(new URL("../../fixtures/wechat/crypto-vectors.json", import.meta.url), "utf8"));

describe("published URL checks", () => {
  const checks = vectors.filter(({ op, expect: { ok } }) => op === "verify_url" && ok);

  test("there are some", () => {
    expect(checks.length).toBeGreaterThan(4);
  });

  test.each(checks)("$id is answered with its decrypted echo", (vector) => {
    const { token, encodingAESKey: encodingAesKey, receiveId: corpId } = vector;
    const app = createApp({ token, encodingAesKey, corpId, timestampToleranceSeconds: 0 });
    const { msgSignature, timestamp, nonce, encrypt: echostr } = vector;
    expect(app.verifyUrl({ msg_signature: msgSignature, timestamp, nonce, echostr })).toBe(vector.plaintext);
  });

  test.each(checks)("$id is refused for another company", (vector) => {
    const { token, encodingAESKey: encodingAesKey, msgSignature, timestamp, nonce, encrypt: echostr } = vector;
    const app = createApp({ token, encodingAesKey, timestampToleranceSeconds: 0, corpId: "ww0000000000000000" });
    expect(() => app.verifyUrl({ msg_signature: msgSignature, timestamp, nonce, echostr })).toThrow(refusal("RECEIVER_MISMATCH"));
  });
});

test("an echo whose plus signs became blanks on the way is still answered", () => {
  const key = decodeAesKey(ENCODING_AES_KEY);
  const echostr = Array.from({ length: 64 }, (_, index) => encrypt("4321", key, CORP_ID, Buffer.alloc(16, index))).find((each) =>
    each.includes("+"),
  );
  const timestamp = toSeconds(NOW);
  const signature = sign([TOKEN, timestamp, "77", echostr ?? ""]);
  const query = { msg_signature: signature, timestamp, nonce: "77", echostr: echostr?.replaceAll("+", " ") };
  expect(createApp().verifyUrl(query)).toBe("4321");
});

test("a changed echo is refused", () => {
  const timestamp = toSeconds(NOW);
  const echostr = encrypt("4321", decodeAesKey(ENCODING_AES_KEY), CORP_ID);
  const signature = sign([TOKEN, timestamp, "77", echostr]);
  const query = { msg_signature: signature, timestamp, nonce: "77", echostr: encrypt("1234", decodeAesKey(ENCODING_AES_KEY), CORP_ID) };
  expect(() => createApp().verifyUrl(query)).toThrow(refusal("SIGNATURE_INVALID"));
});

test("a plain body is refused, whatever its query says", () => {
  const timestamp = toSeconds(NOW);
  const query = { signature: sign([TOKEN, timestamp, "77"]), timestamp, nonce: "77" };
  expect(() => createApp().open({ query, body: Buffer.from(textMessage("hello")) })).toThrow(refusal("SIGNATURE_INVALID"));
});

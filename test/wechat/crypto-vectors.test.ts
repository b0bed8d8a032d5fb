import { describe, expect, test } from "vitest";
import { decodeAesKey, decrypt, encrypt } from "../../src/wechat/cipher.ts";
import { readEncrypted } from "../../src/wechat/envelope.ts";
import { sign, verifySignature } from "../../src/wechat/signature.ts";
import { type Vector, vectors } from "./fixtures.ts";

function ofOps(...ops: Vector["op"][]): Vector[] {
  return vectors.filter((vector) => ops.includes(vector.op));
}

/** As the receiving side does it: the signature first, then the cipher. */
function open({ token, timestamp, nonce, encrypt: encrypted, msgSignature, encodingAESKey, receiveId }: Vector): string {
  if (msgSignature !== undefined && !verifySignature([token, timestamp, nonce, encrypted], msgSignature)) throw new Error("signature");
  return decrypt(encrypted, decodeAesKey(encodingAESKey), receiveId);
}

const REFUSALS: Record<string, unknown> = {
  signature: { message: "signature" },
  receiveid: { name: "VerificationError", code: "RECEIVER_MISMATCH" },
  length: { name: "DecodeError", code: "CIPHERTEXT_INVALID" },
  block: { name: "DecodeError", code: "CIPHERTEXT_INVALID" },
  base64: { name: "DecodeError", code: "CIPHERTEXT_INVALID" },
};

test("all 42 vectors are tried by one of the tests below", () => {
  expect(vectors).toHaveLength(42);
  const tried = [
    ...ofOps("verify_url", "decrypt"),
    ...ofOps("encrypt"),
    ...ofOps("sign_plain", "verify_url_plain", "sign_msg"),
    ...ofOps("key"),
  ];
  expect(new Set(tried)).toEqual(new Set(vectors));
});

describe("an encrypted message or URL check", () => {
  test.each(ofOps("verify_url", "decrypt").filter((vector) => vector.expect.ok))("is verified and decrypted: $id", (vector) => {
    expect(open(vector)).toBe(vector.plaintext);
  });

  test.each(ofOps("verify_url", "decrypt").filter((vector) => !vector.expect.ok))("is refused for its $expect.error: $id", (vector) => {
    expect(() => open(vector)).toThrow(expect.objectContaining(REFUSALS[vector.expect.error ?? ""]));
  });

  test.each(vectors.filter(({ op, body }) => op === "decrypt" && body))("is found in its envelope: $id", ({ body, encrypt: encrypted }) => {
    expect(readEncrypted(Buffer.from(body ?? ""))).toBe(encrypted);
  });

  test.each(vectors.filter(({ op, query }) => op === "verify_url" && query))("is decoded exactly once from its query: $id", (vector) => {
    const query = new URLSearchParams(vector.query);
    const { token, encodingAESKey, receiveId, plaintext } = vector;
    const [timestamp, nonce, echostr, signature] = ["timestamp", "nonce", "echostr", "msg_signature"].map((name) => query.get(name) ?? "");
    expect(verifySignature([token, timestamp ?? "", nonce ?? "", echostr ?? ""], signature ?? "")).toBe(true);
    expect(decrypt(echostr ?? "", decodeAesKey(encodingAESKey), receiveId)).toBe(plaintext);
  });
});

describe("a reply", () => {
  test.each(ofOps("encrypt"))("is readable and, padded to 32 bytes, encrypted to the published text: $id", (vector) => {
    const { token, timestamp, nonce, plaintext, encodingAESKey, receiveId, randomHex, encrypt: published } = vector;
    const key = decodeAesKey(encodingAESKey);
    expect(decrypt(published, key, receiveId)).toBe(plaintext);

    const encrypted = encrypt(plaintext, key, receiveId, Buffer.from(randomHex, "hex"));
    // One published library pads to 16 bytes; for that vector the round trip is what can be held.
    if (vector.reencryptsWithPad32) expect(encrypted).toBe(published);
    expect(decrypt(encrypted, key, receiveId)).toBe(plaintext);

    if (vector.msgSignature !== undefined) expect(sign([token, timestamp, nonce, published])).toBe(vector.msgSignature);
  });
});

describe("a signature", () => {
  test.each(ofOps("sign_plain", "verify_url_plain").filter((vector) => vector.expect.ok))("without body is verified: $id", (vector) => {
    expect(verifySignature([vector.token, vector.timestamp, vector.nonce], vector.signature ?? "")).toBe(true);
    expect(sign([vector.token, vector.timestamp, vector.nonce])).toBe(vector.signature);
  });

  test.each(ofOps("verify_url_plain").filter((vector) => !vector.expect.ok))("without body is refused: $id", (vector) => {
    expect(verifySignature([vector.token, vector.timestamp, vector.nonce], vector.signature ?? "")).toBe(false);
  });

  test.each(ofOps("sign_msg"))("over a message is verified: $id", (vector) => {
    expect(verifySignature([vector.token, vector.timestamp, vector.nonce, vector.encrypt], vector.msgSignature ?? "")).toBe(true);
  });
});

describe("an EncodingAESKey", () => {
  test.each(ofOps("key").filter((vector) => vector.expect.ok))("gives its bytes: $id", (vector) => {
    expect(decodeAesKey(vector.encodingAESKey).toString("hex")).toBe(vector.keyHex);
  });

  test.each(ofOps("key").filter((vector) => !vector.expect.ok))("is refused: $id", (vector) => {
    expect(() => decodeAesKey(vector.encodingAESKey)).toThrow(expect.objectContaining({ code: "ENCODING_AES_KEY_INVALID" }));
  });
});

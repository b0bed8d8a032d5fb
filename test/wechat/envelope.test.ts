import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeAesKey, decrypt } from "../../src/wechat/cipher.ts";
import { readEncrypted, sealEnvelope } from "../../src/wechat/envelope.ts";
import { verifySignature } from "../../src/wechat/signature.ts";
import { childText, parseXml } from "../../src/wechat/xml.ts";
import { readSample, vectors } from "./fixtures.ts";

const seal = {
  token: "QDG6eK",
  key: decodeAesKey("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"),
  receiverId: "wx5823bf96d3bd56c7",
  timestampSeconds: 1713424427,
  nonce: "415670741",
};

test("a sealed reply has the manual's elements in the manual's order", () => {
  expect(sealEnvelope("hi", seal)).toMatch(
    /^<xml><Encrypt><!\[CDATA\[[\w+/=]+\]\]><\/Encrypt><MsgSignature><!\[CDATA\[[0-9a-f]{40}\]\]><\/MsgSignature><TimeStamp>1713424427<\/TimeStamp><Nonce><!\[CDATA\[415670741\]\]><\/Nonce><\/xml>$/,
  );
});

test("a sealed reply opens for whoever has token and key, whatever it says", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme-ascii", minLength: 1 }), (plaintext, nonce) => {
      const envelope = sealEnvelope(plaintext, { ...seal, nonce });
      const root = parseXml(envelope);
      const encrypted = readEncrypted(Buffer.from(envelope));
      const parts = [seal.token, childText(root, "TimeStamp") ?? "", childText(root, "Nonce") ?? "", encrypted];
      expect(verifySignature(parts, childText(root, "MsgSignature") ?? "")).toBe(true);
      expect(decrypt(encrypted, seal.key, seal.receiverId)).toBe(plaintext);
    }),
  );
});

test("a sealed reply is the published one when its random bytes are", () => {
  const vector = vectors.find(({ id }) => id === "oa-xialei-encrypt-utf8");
  if (!vector) throw new Error("the vector is missing");
  const { token, receiveId: receiverId, timestamp, nonce, plaintext, randomHex, msgSignature } = vector;
  const key = decodeAesKey(vector.encodingAESKey);
  const random = Buffer.from(randomHex, "hex");
  const envelope = sealEnvelope(plaintext, { token, key, receiverId, timestampSeconds: Number(timestamp), nonce, random });
  expect(readEncrypted(Buffer.from(envelope))).toBe(vector.encrypt);
  expect(childText(parseXml(envelope), "MsgSignature")).toBe(msgSignature);
});

test("blanks around the ciphertext do not count", () => {
  expect(readEncrypted(Buffer.from("<xml><Encrypt>\n <![CDATA[abcd]]> \n</Encrypt></xml>"))).toBe("abcd");
});

test.each([
  "envelope-oa-secure.xml",
  "envelope-oa-compat.xml",
  "envelope-wecom.xml",
  "envelope-wecom-no-cdata.xml",
  "envelope-wecom-suite.xml",
])("the ciphertext is found in every kind of envelope: %s", (file) => {
  expect(readEncrypted(readSample(file))).toMatch(/^[\w+/]+=*$/);
});

test.each(["<xml></xml>", "<xml><Encrypt/></xml>", "<xml><Encrypt> </Encrypt></xml>", "<xml><a><Encrypt>abcd</Encrypt></a></xml>"])(
  "an envelope without ciphertext is refused: %s",
  (body) => {
    expect(() => readEncrypted(Buffer.from(body))).toThrow(expect.objectContaining({ name: "DecodeError", code: "CIPHERTEXT_INVALID" }));
  },
);

import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecrypt, decodeAesKey, decrypt, encrypt } from "../../src/wechat/cipher.ts";
import { sign, verifySignature } from "../../src/wechat/signature.ts";

const ENCODING_AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const key = decodeAesKey(ENCODING_AES_KEY);
const receiverId = "wx5823bf96d3bd56c7";
const anyText = fc.string({ unit: "binary" });

/** Encrypts a plaintext of the test's own making, padding included. */
function encryptRaw(plain: Buffer): string {
  const cipher = createCipheriv("aes-256-cbc", key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64");
}

/** A well-formed plaintext, padded to a multiple of `block`. */
function toPlain(message: Buffer, { block = 32, length = message.length, receiver = receiverId } = {}): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt32BE(length, 16);
  const body = Buffer.concat([header, message, Buffer.from(receiver)]);
  const count = block - (body.length % block);
  return Buffer.concat([body, Buffer.alloc(count, count)]);
}

const ciphertextInvalid = expect.objectContaining({ name: "DecodeError", code: "CIPHERTEXT_INVALID" });
const receiverMismatch = expect.objectContaining({ name: "VerificationError", code: "RECEIVER_MISMATCH" });

describe("decryption", () => {
  test("undoes encryption for any text and any receiver id", () => {
    fc.assert(
      fc.property(anyText, anyText, (message, receiver) => {
        expect(decrypt(encrypt(message, key, receiver), key, receiver)).toBe(message);
      }),
    );
  });

  test("reads each message as if it were the first, whatever the key read or refused before", () => {
    const blocks = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes).subarray(0, bytes.length & ~15));
    const genuine = fc.tuple(anyText, fc.constantFrom(receiverId, "another")).map(([message, receiver]) => encrypt(message, key, receiver));
    // The first block of a genuine message is random and thrown away: only one whose padding begins there tells what it was read as.
    const ciphertext = fc.oneof(genuine, anyText, blocks.map(encryptRaw), fc.constant(encryptRaw(Buffer.alloc(16, 16))));
    const keptDecrypt = createDecrypt(key);
    fc.assert(
      fc.property(ciphertext, (given) => {
        const [kept, fresh] = [keptDecrypt, createDecrypt(key)].map((decryptWith) => {
          try {
            return decryptWith(given, receiverId);
          } catch (error) {
            return error;
          }
        });
        expect(kept).toEqual(fresh);
      }),
    );
    expect(keptDecrypt(encrypt("你好", key, receiverId), receiverId)).toBe("你好");
  });

  test("together with the signature refuses a message with any one character changed", () => {
    const encrypted = encrypt("<xml><Content>你好</Content></xml>", key, receiverId);
    const parts = ["token", "1700000000", "nonce"];
    const signature = sign([...parts, encrypted]);
    const open = (given: string) => verifySignature([...parts, given], signature) && decrypt(given, key, receiverId);

    expect(open(encrypted)).toBe("<xml><Content>你好</Content></xml>");
    fc.assert(
      fc.property(fc.nat({ max: encrypted.length - 1 }), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), (at, character) => {
        fc.pre(character !== encrypted[at]);
        expect(open(encrypted.slice(0, at) + character + encrypted.slice(at + 1))).toBe(false);
      }),
    );
  });

  test("never throws anything but its own errors, whatever the input", () => {
    const base64 = fc.uint8Array({ maxLength: 96 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    fc.assert(
      fc.property(fc.oneof(anyText, base64), (ciphertext) => {
        expect(() => decrypt(ciphertext, key, receiverId)).toThrow(ciphertextInvalid);
      }),
    );
  });

  test.each([1, 15, 16, 17, 31, 32])("accepts padding of %i bytes", (count) => {
    const message = Buffer.alloc(96 - 20 - receiverId.length - count, "x");
    expect(decrypt(encryptRaw(toPlain(message)), key, receiverId)).toBe(message.toString());
  });

  test("accepts senders that pad to 16 bytes", () => {
    expect(decrypt(encryptRaw(toPlain(Buffer.from("0123456789"), { block: 16 })), key, receiverId)).toBe("0123456789");
  });

  test("reads a message whose sender cut a character in half", () => {
    expect(decrypt(encryptRaw(toPlain(Buffer.from([0x78, 0xe4, 0xbd, 0x79]))), key, receiverId)).toBe("x\uFFFDy");
  });

  test.each([
    ["padding of 0", Buffer.alloc(32)],
    ["padding of 33", Buffer.alloc(64, 33)],
    ["padding longer than the whole", Buffer.alloc(16, 32)],
    ["padding bytes that differ", Buffer.concat([Buffer.alloc(30), Buffer.from([3, 2])])],
    ["less than a header", Buffer.concat([Buffer.alloc(19), Buffer.alloc(13, 13)])],
    ["a length beyond the end", toPlain(Buffer.from("hi"), { length: 21 })],
    ["a length with the sign bit", toPlain(Buffer.from("hi"), { length: 0xffffffff })],
  ])("refuses %s", (_name, plain) => {
    expect(() => decrypt(encryptRaw(plain), key, receiverId)).toThrow(ciphertextInvalid);
  });

  test.each(["", "    ", "AAA", "A".repeat(64).replace("A", "-"), `${"A".repeat(63)}\n`])(
    "refuses %j, which Node's base64 would take",
    (text) => {
      expect(() => decrypt(text, key, receiverId)).toThrow(ciphertextInvalid);
    },
  );

  test.each(["wx5823bf96d3bd56c", "wx5823bf96d3bd56c77", "WX5823BF96D3BD56C7", ""])("refuses a message for %j", (receiver) => {
    expect(() => decrypt(encrypt("hi", key, receiver), key, receiverId)).toThrow(receiverMismatch);
  });

  test("accepts no receiver id only where none is configured", () => {
    expect(decrypt(encrypt("hi", key, ""), key, "")).toBe("hi");
    expect(() => decrypt(encrypt("hi", key, receiverId), key, "")).toThrow(receiverMismatch);
  });
});

test("two encryptions of one message differ", () => {
  expect(encrypt("hi", key, receiverId)).not.toBe(encrypt("hi", key, receiverId));
});

describe("an EncodingAESKey", () => {
  test.each(["", "A".repeat(42), "A".repeat(44), `${"A".repeat(43)}=`, `${"A".repeat(42)}-`, `${"A".repeat(42)} `, `${"A".repeat(43)}\n`])(
    "%j is refused without being quoted",
    (text) => {
      expect(() => decodeAesKey(text)).toThrow(expect.objectContaining({ name: "DecodeError", code: "ENCODING_AES_KEY_INVALID" }));
      expect(() => decodeAesKey(text)).not.toThrow(/A{9}/);
    },
  );

  test("of 43 A, the manual's own sample, is 32 zero bytes", () => {
    expect(decodeAesKey("A".repeat(43))).toEqual(Buffer.alloc(32));
  });

  test("means the same whatever the spare bits of its last character", () => {
    const keys = ["E", "F", "G", "H"].map((last) => decodeAesKey(ENCODING_AES_KEY.slice(0, 42) + last));
    for (const other of keys) expect(other).toEqual(keys[0]);
  });
});

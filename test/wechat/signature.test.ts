import fc from "fast-check";
import { expect, test } from "vitest";
import { sign, verifySignature } from "../../src/wechat/signature.ts";

const part = fc.string({ unit: "grapheme", minLength: 1 });

test("a signature verifies whatever the parts and their order", () => {
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      expect(verifySignature([...parts].reverse(), sign(parts))).toBe(true);
    }),
  );
});

test("parts are sorted by their bytes, not by the rules of a language or by UTF-16", () => {
  // Bytes: "B" 42, "a" 61, "～" EF BD 9E, "😀" F0 9F 98 80. UTF-16 would put the emoji (D83D) before the tilde (FF5E).
  expect(sign(["😀", "～", "a", "B"])).toBe(sign(["Ba～😀"]));
});

test("a signature with any one character changed is refused", () => {
  const parts = ["token", "1700000000", "nonce"];
  const signature = sign(parts);
  fc.assert(
    fc.property(fc.nat({ max: 39 }), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), (at, character) => {
      fc.pre(character !== signature[at]);
      expect(verifySignature(parts, signature.slice(0, at) + character + signature.slice(at + 1))).toBe(false);
    }),
  );
});

test("a signature of another length, spelling or none at all is refused and does not throw", () => {
  const parts = ["token", "1700000000", "nonce"];
  const signature = sign(parts);
  for (const given of ["", signature.slice(1), `${signature}0`, ` ${signature}`, signature.toUpperCase(), "z".repeat(40), "é".repeat(20)]) {
    expect(verifySignature(parts, given)).toBe(false);
  }
});

test("a signature made with an empty part is refused, so that a missing token opens nothing", () => {
  const parts = ["", "1700000000", "nonce"];
  expect(verifySignature(parts, sign(parts))).toBe(false);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signIdentity, toDeskTimestamp, toSignedQuery, verifySign } from "../../../src/desks/udesk-message-interface/sign.ts";
import { KEY, VECTOR_TIME } from "./support.ts";

// Both vectors: udesk.md A, "Signature".
const known = { number: "13574221234", email: "894733082@qq.com", timestamp: "20151124141451" };
const empty = { number: "", email: "", timestamp: "20151124141451" };

describe("the signature of the message interface", () => {
  test("equals the published vector for a known customer", () => {
    expect(signIdentity(known, KEY)).toBe("301B50B00CB609836B0D52FE4AB93CC8");
  });

  test("equals the published vector for an unknown customer", () => {
    expect(signIdentity(empty, KEY)).toBe("5115174BBECA8A19B2FE835E3BBEA724");
  });

  test("verifies in upper and in lower case", () => {
    expect(verifySign("301B50B00CB609836B0D52FE4AB93CC8", known, KEY)).toBe(true);
    expect(verifySign("301b50b00cb609836b0d52fe4ab93cc8", known, KEY)).toBe(true);
  });

  test("is refused with any one character changed", () => {
    const sign = signIdentity(known, KEY);
    fc.assert(
      fc.property(fc.nat(31), fc.string({ minLength: 1, maxLength: 1 }), (position, character) => {
        fc.pre(character.toUpperCase() !== sign[position]);
        expect(verifySign(sign.slice(0, position) + character + sign.slice(position + 1), known, KEY)).toBe(false);
      }),
    );
  });

  test("is refused when shortened, lengthened or empty", () => {
    const sign = signIdentity(known, KEY);
    for (const wrong of ["", sign.slice(0, 30), `${sign}00`, `${sign}zz`]) expect(verifySign(wrong, known, KEY)).toBe(false);
  });

  test("is refused under another key and for another customer", () => {
    const sign = signIdentity(known, KEY);
    expect(verifySign(sign, known, `${KEY}0`)).toBe(false);
    expect(verifySign(sign, empty, KEY)).toBe(false);
  });
});

test("the timestamp is Beijing time to the second, across midnight and the year's end", () => {
  expect(toDeskTimestamp(VECTOR_TIME)).toBe("20151124141451");
  expect(toDeskTimestamp(new Date("2025-12-31T16:00:00.000Z"))).toBe("20260101000000");
});

test("the query signs what it says and leaves @ unescaped", () => {
  expect(toSignedQuery(known, KEY, VECTOR_TIME)).toBe(
    "number=13574221234&email=894733082@qq.com&timestamp=20151124141451&sign=301B50B00CB609836B0D52FE4AB93CC8",
  );
});

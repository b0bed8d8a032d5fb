import { expect, test } from "vitest";
import { decodeAesKey } from "../../src/wechat/cipher.ts";
import { isAppId, isCorpId, withoutSpareBits } from "../../src/wechat/key-shapes.ts";

const STEM = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF";

test("two spare bits in the last character are found, and the key without them is the same key", () => {
  expect(withoutSpareBits(`${STEM}G`)).toBe(`${STEM}E`);
  expect(decodeAesKey(`${STEM}G`)).toEqual(decodeAesKey(`${STEM}E`));
});

test("whatever is found is what a strict decoder would want: decoded and encoded again it is the same", () => {
  for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
    const key = STEM + last;
    const strict = withoutSpareBits(key) ?? key;
    expect(decodeAesKey(key).toString("base64")).toBe(`${strict}=`);
  }
});

test("what is no key has none", () => {
  for (const text of ["", STEM, `${STEM}GG`, `${STEM}-`]) expect(withoutSpareBits(text)).toBeNull();
});

test("ids are told by their form", () => {
  expect(isAppId("wx0123456789abcdef")).toBe(true);
  for (const text of ["gh_0123456789ab", "wx0123456789ABCDEF", "wx0123456789abcde", "ww0123456789abcdef"])
    expect(isAppId(text)).toBe(false);
  for (const text of ["ww8f3c1d7e2a9b4056", "wx26728386addd7be2"]) expect(isCorpId(text)).toBe(true);
  for (const text of ["ww8f3c1d7e2a9b405", "1000002", "company"]) expect(isCorpId(text)).toBe(false);
});

import { expect, test } from "vitest";
import { toQuotable, withoutSecrets } from "../../src/base/redact.ts";

test.each([
  ["GET https://x/cgi-bin/y?access_token=s3cret&b=1 failed", "GET https://x/cgi-bin/y?… failed"],
  ["POST /desk/shop/s3cret?number=1 failed", "POST /desk/shop/…?… failed"],
  ["postgresql://wxdesk:s3cret@db:5432/x", "postgresql://…@db:5432/x"],
  ['{"access_token":"s3cret","errcode":0}', '{"access_token":"…","errcode":0}'],
  ['"{\\"sign\\":\\"s3cret\\"}"', '"{\\"sign\\":\\"…\\"}"'],
  ["<sign>s3cret</sign>", "<sign>…</sign>"],
  ["authorization: Bearer s3cret", "authorization: …"],
  ["connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED 127.0.0.1:5432"],
])("%s is written as %s", (text, expected) => {
  expect(withoutSecrets(text)).toBe(expected);
});

test("of another's words, long runs go and what helps an operator stays", () => {
  const key = "0123456789abcdef0123456789abcdef";
  expect(toQuotable(`the KEY is ${key}, says ${key}${key}`)).toBe("the KEY is …, says …");
  const helpful = "invalid ip 203.0.113.7, not in whitelist rid: 6123abcd-0a1b2c3d-4e5f6a7b for oJqxQwYRyZMXFTc8sipB5TSe6Vw4";
  expect(toQuotable(helpful)).toBe(helpful);
});

test("a text that is cut shows no half of a key at its end", () => {
  const key = "0123456789abcdef0123456789abcdef";
  expect(toQuotable(`${"word ".repeat(798)} ${key}`)).toMatch(/^(word )+ …$/);
});

import { expect, test } from "vitest";
import { isAppId, isCorpId } from "../../src/wechat/key-shapes.ts";

test("ids are told by their form", () => {
  expect(isAppId("wx0123456789abcdef")).toBe(true);
  for (const text of ["gh_0123456789ab", "wx0123456789ABCDEF", "wx0123456789abcde", "ww0123456789abcdef"])
    expect(isAppId(text)).toBe(false);
  for (const text of ["ww8f3c1d7e2a9b4056", "wx26728386addd7be2"]) expect(isCorpId(text)).toBe(true);
  for (const text of ["ww8f3c1d7e2a9b405", "1000002", "company"]) expect(isCorpId(text)).toBe(false);
});

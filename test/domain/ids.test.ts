import { expect, test } from "vitest";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";

test("a conversation keeps the id under which earlier versions stored it", () => {
  expect(toConversationId("shop", "oABCdef")).toBe("cv_bac0bcbac43b85e63edd643af021762b");
  expect(toConversationId("店", "用户😀")).toBe("cv_0dfd88e928f77c52d74ef60dd1dc9756");
});

test("account and contact do not run into each other", () => {
  expect(toConversationId("a", "bc")).not.toBe(toConversationId("ab", "c"));
});

test("message ids of one millisecond differ in every random digit, and those of a later one come after them", () => {
  const now = new Date("2026-11-22T10:00:00.000Z");
  const ids = Array.from({ length: 1_000 }, () => newMessageId(now));
  expect(new Set(ids).size).toBe(1_000);
  for (const id of ids) expect(id).toMatch(/^ms_01a202b2c500[0-9a-f]{20}$/);
  // Were a digit fixed, as the version of a UUID is, all would share it.
  for (let at = 15; at < 35; at++) expect(new Set(ids.map((id) => id[at])).size).toBe(16);
  const later = newMessageId(new Date(now.getTime() + 1));
  expect([...ids, later].sort().at(-1)).toBe(later);
});

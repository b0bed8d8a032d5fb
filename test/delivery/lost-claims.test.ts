import { expect, test } from "vitest";
import { createLostClaims } from "../../src/delivery/lost-claims.ts";

const QUEUE = { conversationId: "cv_1", direction: "inbound" } as const;

function stage(againAfterMs: number) {
  const released: string[] = [];
  const known = new Set<string>();
  const failing = new Set<string>();
  const lost = createLostClaims({
    release: async ({ conversationId }) => {
      if (failing.has(conversationId)) throw new Error("the database is away");
      released.push(conversationId);
    },
    isKnown: ({ conversationId }) => known.has(conversationId),
    againAfterMs,
  });
  return { released, known, failing, lost };
}

test("a lost queue is released at once, and once more for a statement that outlived its connection", async () => {
  const { released, lost } = stage(0);
  lost.add(QUEUE);
  await lost.release();
  expect(lost.areExpected()).toBe(true);
  await lost.release();
  expect(lost.areExpected()).toBe(false);
  await lost.release();
  expect(released).toEqual(["cv_1", "cv_1"]);
});

test("the second time is not before its time", async () => {
  const { released, lost } = stage(3_600_000);
  lost.add(QUEUE);
  await lost.release();
  await lost.release();
  expect(released).toEqual(["cv_1"]);
  expect(lost.areExpected()).toBe(true);
});

test("a queue that is worked on keeps its claim; one that cannot be released is tried again", async () => {
  const { released, known, failing, lost } = stage(3_600_000);
  lost.add(QUEUE);
  known.add("cv_1");
  await lost.release();
  expect(released).toEqual([]);
  known.clear();
  failing.add("cv_1");
  await expect(lost.release()).rejects.toThrow("away");
  failing.clear();
  await lost.release();
  expect(released).toEqual(["cv_1"]);
});

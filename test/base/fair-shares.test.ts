import { expect, test } from "vitest";
import { createFairShares } from "../../src/base/fair-shares.ts";

const LIMITS = { eachMax: 64, totalMax: 512 };

function fill(shares: ReturnType<typeof createFairShares>, key: string): number {
  let taken = 0;
  for (; shares.roomOf(key) > 0; taken++) shares.take(key);
  return taken;
}

test("a key has as many slots as one may have, and no more than it leaves free for the others", () => {
  const shares = createFairShares(() => LIMITS);
  const taken = Array.from({ length: 12 }, (_, index) => fill(shares, `key ${index}`));
  expect(taken).toEqual([64, 64, 64, 64, 64, 64, 64, 32, 16, 8, 4, 2]);
});

test("the first slot of a key is always granted, and only that when all are taken", () => {
  const shares = createFairShares(() => ({ eachMax: 2, totalMax: 2 }));
  expect(["a", "b", "c", "d"].map((key) => fill(shares, key))).toEqual([1, 1, 1, 1]);
  shares.giveBack("c");
  expect(shares.inUse()).toEqual(["a", "b", "d"]);
  expect(shares.roomOf("c")).toBe(1);
});

test("the room of a key is what it can take, one after the other", () => {
  const shares = createFairShares(() => ({ eachMax: 64, totalMax: 100 }));
  for (const key of ["a", "b", "c"]) {
    const room = shares.roomOf(key);
    expect(fill(shares, key)).toBe(room);
  }
});

test("when the limits fall, slots that stay taken count no more than a key may have, so the others keep their shares", () => {
  let limits = LIMITS;
  const shares = createFairShares(() => limits);
  expect(fill(shares, "slow")).toBe(64);
  limits = { eachMax: 8, totalMax: 32 };
  expect(shares.roomOf("slow")).toBeLessThanOrEqual(0);
  expect(fill(shares, "healthy")).toBe(8);
  expect(fill(shares, "another")).toBe(8);
});

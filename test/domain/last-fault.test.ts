import { expect, test } from "vitest";
import type { DatabaseFault } from "../../src/domain/database-fault.ts";
import { createLastFault } from "../../src/domain/last-fault.ts";

const FULL: DatabaseFault = { code: "DATABASE_FULL", what: "full", remedy: "make room", concerns: "database", origin: "53100" };
const LOCKED: DatabaseFault = { ...FULL, code: "DATABASE_BUSY", concerns: "statement", origin: "55P03" };

/** A store that fails with the fault it is given, and the clock. */
function stage() {
  let nowMs = 0;
  const { watched, current } = createLastFault(
    (error) => (error instanceof Error ? (error.cause as DatabaseFault) : null),
    () => nowMs,
  );
  const store = watched(async (fault: DatabaseFault | null) => {
    if (fault !== null) throw new Error("not stored", { cause: fault });
  });
  return { store, current, pass: (ms: number) => (nowMs += ms) };
}

test("is what the database said last, until something is stored or ten seconds have passed", async () => {
  const { store, current, pass } = stage();
  expect(current()).toBeNull();
  await expect(store(FULL)).rejects.toThrow("not stored");
  pass(9_999);
  expect(current()).toBe(FULL);
  pass(1);
  expect(current()).toBeNull();

  await expect(store(FULL)).rejects.toThrow("not stored");
  expect(current()).toBe(FULL);
  await store(null);
  expect(current()).toBeNull();
});

test("one locked conversation says nothing of the others", async () => {
  const { store, current } = stage();
  await expect(store(LOCKED)).rejects.toThrow("not stored");
  expect(current()).toBeNull();
  await expect(store(FULL)).rejects.toThrow("not stored");
  expect(current()).toBe(FULL);
});

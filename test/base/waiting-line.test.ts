import { expect, test } from "vitest";
import { createWaitingLine } from "../../src/base/waiting-line.ts";

/** A line whose work ends when the test says so, and its clock. */
function stage() {
  let nowMs = 0;
  const line = createWaitingLine(() => nowMs);
  const ends: ((error?: Error) => void)[] = [];
  const store = line.counted(
    (input: number) => new Promise<number>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve(input)))),
  );
  const come = (count: number) => Array.from({ length: count }, (_, index) => store(index).catch(() => null));
  return {
    line,
    come,
    pass: (ms: number) => {
      nowMs += ms;
    },
    end: async (count: number, error?: Error) => {
      for (const end of ends.splice(0, count)) end(error);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("counts what waits until it is stored, or refused", async () => {
  const { line, come, end } = stage();
  come(3);
  expect(line.size()).toBe(3);
  await end(1, new Error("refused"));
  expect(line.size()).toBe(2);
  await end(2);
  expect(line.size()).toBe(0);
  expect(line.expectedMs()).toBe(0);
});

test("expects what the last ones met, for each statement that is needed", async () => {
  const { line, come, end, pass } = stage();
  for (let round = 0; round < 10; round++) {
    come(100);
    pass(50);
    await end(100);
  }
  come(1);
  expect(line.expectedMs()).toBeCloseTo(50, 0);
  come(499);
  expect(line.expectedMs()).toBeCloseTo(6 * 50, 0);
});

test("one at a time for a long time says nothing bad of many at once", async () => {
  const { line, come, end, pass } = stage();
  for (let round = 0; round < 100; round++) {
    come(1);
    pass(5);
    await end(1);
    pass(1_000);
  }
  come(1_000);
  expect(line.expectedMs()).toBeLessThan(100);
});

test("expects more the longer nothing succeeds, whether nothing ends or everything fails, and less again when it does", async () => {
  const { line, come, end, pass } = stage();
  come(200);
  pass(1_000);
  expect(line.expectedMs()).toBe(3 * 1_000);
  await end(100, new Error("locked"));
  pass(500);
  expect(line.expectedMs()).toBe(2 * 1_500);
  await end(1);
  expect(line.expectedMs()).toBeLessThan(200);
});

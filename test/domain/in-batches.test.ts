import { expect, test } from "vitest";
import { inBatches } from "../../src/domain/in-batches.ts";

const OPTIONS = { sizeMax: 3, stalledAfterMs: 60_000, isWorthSplitting: () => true };

/** Runs that end when the test says so. */
function stage() {
  const runs: { inputs: readonly number[]; end: (error?: Error) => void }[] = [];
  const run = (inputs: readonly number[]) =>
    new Promise<string[]>((resolve, reject) => {
      runs.push({ inputs, end: (error) => (error ? reject(error) : resolve(inputs.map((input) => `done ${input}`))) });
    });
  const begun = () => runs.map(({ inputs }) => inputs);
  return { runs, run, begun };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("the first goes at once and alone; what comes meanwhile goes together, in its order, up to the size", async () => {
  const { runs, run, begun } = stage();
  const ask = inBatches(run, OPTIONS);
  const answers = [1, 2, 3, 4, 5].map(ask);
  expect(begun()).toEqual([[1]]);
  for (let index = 0; index < 3; index++) {
    runs[index]?.end();
    await settled();
  }
  expect(begun()).toEqual([[1], [2, 3, 4], [5]]);
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5].map((input) => `done ${input}`));
});

test("one that spoils a run fails alone", async () => {
  const begun: (readonly number[])[] = [];
  const ask = inBatches(async (inputs: readonly number[]) => {
    begun.push(inputs);
    await settled();
    if (inputs.includes(3)) throw new Error("3 is not to be stored");
    return inputs;
  }, OPTIONS);
  const answers = await Promise.allSettled([1, 2, 3, 4].map(ask));
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  expect(begun).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
});

test("when trying again is in vain, all of the run fail with its error, and the next run goes on", async () => {
  const { runs, run } = stage();
  const ask = inBatches(run, { ...OPTIONS, isWorthSplitting: () => false });
  const first = ask(1);
  const failed = Promise.allSettled([2, 3, 4].map(ask));
  const last = ask(5);
  runs[0]?.end();
  await settled();
  runs[1]?.end(new Error("the database is away"));
  expect((await failed).map((result) => (result.status === "rejected" ? String(result.reason) : "?"))).toEqual(
    Array(3).fill("Error: the database is away"),
  );
  runs[2]?.end();
  expect(await Promise.all([first, last])).toEqual(["done 1", "done 5"]);
  expect(runs).toHaveLength(3);
});

test("a run that stands still holds up only those who are in it", async () => {
  const { runs, run, begun } = stage();
  const ask = inBatches(run, { ...OPTIONS, stalledAfterMs: 1 });
  const stuck = ask(1);
  const other = ask(2);
  await expect.poll(begun).toEqual([[1], [2]]);
  runs[1]?.end();
  expect(await other).toBe("done 2");
  runs[0]?.end();
  expect(await stuck).toBe("done 1");
  const later = ask(3);
  runs[2]?.end();
  expect(await later).toBe("done 3");
});

test("two of one key are never under way together, in their order, and hold up no other", async () => {
  const { runs, run, begun } = stage();
  const ask = inBatches(run, { ...OPTIONS, stalledAfterMs: 1, keyOf: (input) => (input < 10 ? "units" : String(input)) });
  const answers = [1, 2, 3, 10, 11].map(ask);
  await expect.poll(begun).toEqual([[1], [10, 11]]);
  runs[1]?.end();
  await settled();
  expect(begun()).toHaveLength(2);
  for (const index of [0, 2, 3]) {
    runs[index]?.end();
    await settled();
  }
  expect(begun()).toEqual([[1], [10, 11], [2], [3]]);
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 10, 11].map((input) => `done ${input}`));
});

import { expect, onTestFinished, test, vi } from "vitest";
import { inBatches } from "../../../src/store/database/in-batches.ts";

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

/** A turn for what has ended, and one for what begins then. */
const settled = async () => {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test("what is asked for in one turn goes together, what comes meanwhile with the next run, in its order, up to the size", async () => {
  const { runs, run, begun } = stage();
  const ask = inBatches(run, OPTIONS);
  const answers = [1, 2].map(ask);
  await settled();
  expect(begun()).toEqual([[1, 2]]);
  answers.push(...[3, 4, 5, 6].map(ask));
  for (let index = 0; index < 3; index++) {
    runs[index]?.end();
    await settled();
  }
  expect(begun()).toEqual([[1, 2], [3, 4, 5], [6]]);
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5, 6].map((input) => `done ${input}`));
});

test("a run that gives the event loop no turn takes what was asked for while nobody was listening", async () => {
  const begun: (readonly number[])[] = [];
  const ask = inBatches(async (inputs: readonly number[]) => {
    begun.push(inputs);
    return inputs;
  }, OPTIONS);
  // As callbacks that lie in their sockets are read: one after the other, each with its promises worked off.
  const arrive = async (from: number, to: number) => {
    for (let input = from; input <= to; input++) {
      void ask(input);
      await Promise.resolve();
    }
  };
  await arrive(1, 3);
  await settled();
  await arrive(4, 5);
  await settled();
  expect(begun).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
});

test("one that spoils a run fails alone", async () => {
  const begun: (readonly number[])[] = [];
  const ask = inBatches(async (inputs: readonly number[]) => {
    begun.push(inputs);
    await settled();
    if (inputs.includes(3)) throw new Error("3 is not to be stored");
    return inputs;
  }, OPTIONS);
  const answers = await Promise.allSettled([2, 3, 4].map(ask));
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(begun).toEqual([[2, 3, 4], [2], [3], [4]]);
});

test("when trying again is in vain, all of the run fail with its error, and the next run goes on", async () => {
  const { runs, run } = stage();
  const ask = inBatches(run, { ...OPTIONS, isWorthSplitting: () => false });
  const failed = Promise.allSettled([1, 2, 3].map(ask));
  const last = ask(4);
  await settled();
  runs[0]?.end(new Error("the database is away"));
  expect((await failed).map((result) => (result.status === "rejected" ? String(result.reason) : "?"))).toEqual(
    Array(3).fill("Error: the database is away"),
  );
  await settled();
  runs[1]?.end();
  expect(await last).toBe("done 4");
  expect(runs).toHaveLength(2);
});

test("a run that stands still holds up only those who are in it", async () => {
  const { runs, run, begun } = stage();
  const ask = inBatches(run, { ...OPTIONS, stalledAfterMs: 1 });
  const stuck = ask(1);
  await settled();
  const other = ask(2);
  await expect.poll(begun).toEqual([[1], [2]]);
  runs[1]?.end();
  expect(await other).toBe("done 2");
  runs[0]?.end();
  expect(await stuck).toBe("done 1");
  const later = ask(3);
  await settled();
  runs[2]?.end();
  expect(await later).toBe("done 3");
});

test("two of one key are never under way together, in their order, and hold up no other", async () => {
  const { runs, run, begun } = stage();
  const ask = inBatches(run, { ...OPTIONS, stalledAfterMs: 1, keyOf: (input) => (input < 10 ? "units" : String(input)) });
  const answers = [1, 2, 3, 10].map(ask);
  await expect.poll(begun).toEqual([[1, 10]]);
  answers.push(ask(11));
  await expect.poll(begun).toEqual([[1, 10], [11]]);
  for (const index of [1, 0, 2, 3]) {
    runs[index]?.end();
    await settled();
  }
  expect(begun()).toEqual([[1, 10], [11], [2], [3]]);
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 10, 11].map((input) => `done ${input}`));
});

test("runs that stand still leave room for others: only so many are under way", async () => {
  const { runs, run, begun } = stage();
  const ask = inBatches(run, { ...OPTIONS, sizeMax: 1, stalledAfterMs: 1, runsMax: 2 });
  const answers = [1, 2, 3].map(ask);
  await expect.poll(begun).toEqual([[1], [2]]);
  runs[1]?.end();
  await expect.poll(begun).toEqual([[1], [2], [3]]);
  for (const { end } of runs) end();
  expect(await Promise.all(answers)).toEqual(["done 1", "done 2", "done 3"]);
});

test("of a run that one has spoilt, those that go alone keep to the same bound, before what came later", async () => {
  const { runs, run, begun } = stage();
  const ask = inBatches(run, { ...OPTIONS, sizeMax: 4, runsMax: 2 });
  const answers = [1, 2, 3].map(ask);
  await settled();
  const later = ask(4);
  runs[0]?.end(new Error("spoilt"));
  await expect.poll(begun).toEqual([[1, 2, 3], [1], [2]]);
  runs[1]?.end();
  await expect.poll(begun).toEqual([[1, 2, 3], [1], [2], [3]]);
  runs[2]?.end();
  runs[3]?.end();
  await expect.poll(begun).toEqual([[1, 2, 3], [1], [2], [3], [4]]);
  runs[4]?.end();
  expect(await Promise.all([...answers, later])).toEqual([1, 2, 3, 4].map((input) => `done ${input}`));
});

test("one that nobody waits for any more fails without a run, and the next goes on", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { runs, run, begun } = stage();
  const ask = inBatches(run, { ...OPTIONS, waitMsMax: 4_000 });
  const first = ask(1);
  await settled();
  const late = ask(2);
  vi.advanceTimersByTime(4_001);
  const next = ask(3);
  runs[0]?.end();
  await expect(late).rejects.toMatchObject({ code: "WAITED_TOO_LONG" });
  await settled();
  runs[1]?.end();
  expect(await Promise.all([first, next])).toEqual(["done 1", "done 3"]);
  expect(begun()).toEqual([[1], [3]]);
});

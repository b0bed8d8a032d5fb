import { expect, test } from "vitest";
import { createGate } from "../../src/base/gate.ts";

test("as many of a key enter as there are slots, the next in order, and a wait that is given up takes none", async () => {
  const gate = createGate({ eachMax: 1, totalMax: 2 });
  const { signal } = new AbortController();
  const impatient = new AbortController();
  const first = await gate.enter("shop", signal);
  const entered: string[] = [];
  const second = gate.enter("shop", impatient.signal).then((leave) => leave ?? entered.push("gave up"));
  const third = gate.enter("shop", signal).then((leave) => {
    entered.push("third");
    leave?.();
  });
  impatient.abort();
  await second;
  expect(entered).toEqual(["gave up"]);
  first?.();
  await third;
  expect(entered).toEqual(["gave up", "third"]);
  expect(await gate.enter("shop", AbortSignal.abort())).toBeNull();
  expect(await gate.enter("shop", signal)).not.toBeNull();
});

test("a key whose slots stay taken keeps no other key waiting, however many wait for it", async () => {
  const gate = createGate({ eachMax: 4, totalMax: 8 });
  const { signal } = new AbortController();
  const slow = Array.from({ length: 8 }, () => gate.enter("slow", signal));
  await Promise.all(slow.slice(0, 4));
  for (const key of ["a", "b", "c", "d", "e", "f", "g"]) expect(await gate.enter(key, signal)).not.toBeNull();
  const leave = await slow[0];
  leave?.();
});

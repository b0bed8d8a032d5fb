import { expect, test } from "vitest";
import { createGate } from "../../src/lib/gate.ts";

test("as many enter as there are places, the next in order, and who gives up waiting takes none", async () => {
  const gate = createGate(1);
  const { signal } = new AbortController();
  const impatient = new AbortController();
  const first = await gate.enter(signal);
  const entered: string[] = [];
  const second = gate.enter(impatient.signal).then((leave) => leave ?? entered.push("gave up"));
  const third = gate.enter(signal).then((leave) => {
    entered.push("third");
    leave?.();
  });
  impatient.abort();
  await second;
  expect(entered).toEqual(["gave up"]);
  first?.();
  await third;
  expect(entered).toEqual(["gave up", "third"]);
  expect(await gate.enter(AbortSignal.abort())).toBeNull();
  expect(await gate.enter(signal)).not.toBeNull();
});

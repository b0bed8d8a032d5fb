import { expect, test } from "vitest";
import { alternate, toOrder } from "../../bench/lib/rounds.ts";

test("contenders take turns, and every second round goes backwards", () => {
  expect(toOrder(["a", "b"], 3).map(({ name }) => name)).toEqual(["a", "b", "b", "a", "a", "b"]);
});

test("each contender's results come in the order of the rounds", async () => {
  const results = await alternate(["a", "b"], 2, async (name, round) => `${name}${round}`);
  expect(results).toEqual({ a: ["a0", "a1"], b: ["b0", "b1"] });
});

import { expect, test } from "vitest";
import { readOptions } from "../../bench/lib/options.ts";
import { fits } from "../../bench/lib/peers.ts";

const KNOWN = ["accept", "relay"];

test("without a name all benchmarks run, in their usual length", () => {
  expect(readOptions([], KNOWN)).toMatchObject({ names: KNOWN, mode: "normal", rendersDocs: false });
  expect(readOptions(["relay", "--quick", "--json", "out.json"], KNOWN)).toMatchObject({
    names: ["relay"],
    mode: "quick",
    json: "out.json",
  });
});

test("a misspelt benchmark, and a run that is quick and full, are refused", () => {
  expect(() => readOptions(["acept"], KNOWN)).toThrow("only accept, relay");
  expect(() => readOptions(["--quick", "--full"], KNOWN)).toThrow(TypeError);
  expect(() => readOptions(["--rounds", "0"], KNOWN)).toThrow(TypeError);
});

test("a peer runs only on a Node that its engines range allows", () => {
  expect(fits("v20.20.2", ">=22.12.0")).toBe(false);
  expect(fits("v22.11.9", ">=22.12.0")).toBe(false);
  expect(fits("v24.0.0", ">=22.12.0")).toBe(true);
  expect(fits("v20.20.2", ">=14")).toBe(true);
  expect(() => fits("v20.20.2", "^20 || >=22")).toThrow("not understood");
});

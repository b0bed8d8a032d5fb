import { expect, test } from "vitest";
import { findTrouble } from "./logs.ts";

const at = (second: number) => new Date(second * 1_000).toISOString();
const line = (level: string, second: number, msg: string) => JSON.stringify({ level, time: at(second), msg });
const troubles = [{ from: 10_000, to: 20_000 }];

test("a stack, an unhandled rejection and an error while the database was there are trouble", () => {
  const lines = ["Error: boom", "    at run (file.ts:1:1)", line("error", 5, "callback.failed"), line("error", 15, "something.else")];
  expect(findTrouble([line("info", 1, "gateway.started"), ...lines].join("\n"), troubles)).toEqual(lines);
});

test("the lines of a start, errors of a database that was away and lines that a kill cut short are none", () => {
  const lines = ["wxdesk listens on http://x", "DATABASE_UNREACHABLE: no connection", line("error", 15, "callback.failed"), '{"level":"er'];
  expect(findTrouble([...lines, line("info", 5, "gateway.started"), ""].join("\n"), troubles)).toEqual([]);
});

test("a start that loses its database may end with a stack, one that does not may not", () => {
  const start = (second: number) => [line("info", second, "gateway.starting"), "Error: gone", "    at run (file.ts:1:1)"];
  expect(findTrouble(start(8).join("\n"), troubles)).toEqual([]);
  expect(findTrouble(start(50).join("\n"), troubles)).toEqual(start(50).slice(1));
});

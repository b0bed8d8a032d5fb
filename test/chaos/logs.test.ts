import { expect, test } from "vitest";
import { countOvertaken, findTrouble, toLaunchLine, toTroubles } from "./logs.ts";

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

test("the moments of a log are read by the clock that its process was launched with, also behind a line that a kill cut short", () => {
  const log = (clockMs: number) => `{"level":"er${toLaunchLine(clockMs)}${line("error", 15, "callback.failed")}`;
  expect(findTrouble(log(0), troubles)).toEqual([]);
  expect(findTrouble(log(-4_000), troubles)).toEqual([]);
  expect(findTrouble(log(30_000), troubles)).toEqual([line("error", 15, "callback.failed")]);
  expect(findTrouble(log(30_000) + toLaunchLine(0) + line("error", 15, "callback.failed"), troubles)).toHaveLength(1);
});

test("a process that has just started may be late, and only late; later it may not", () => {
  const late = (second: number, type = "TooLateError") =>
    JSON.stringify({ level: "error", time: at(second), error: { type }, msg: "push.failed" });
  const start = line("info", 50, "gateway.starting");
  expect(findTrouble([start, late(58)].join("\n"), troubles)).toEqual([]);
  expect(findTrouble([start, line("info", 57, "gateway.started"), late(61)].join("\n"), troubles)).toEqual([]);
  for (const trouble of [late(58, "Error"), late(61)]) expect(findTrouble([start, trouble].join("\n"), troubles)).toEqual([trouble]);
});

test("a replica that stood still while the database was away may say so after it moves again, and others may not", () => {
  const [away, standstill] = [
    { from: 10_000, to: 12_000 },
    { from: 11_000, to: 90_000 },
  ];
  expect(toTroubles([away], [])).toEqual([{ from: 10_000, to: 47_000 }]);
  expect(toTroubles([away], [standstill])).toEqual([
    { from: 10_000, to: 125_000 },
    { from: 90_000, to: 100_000 },
  ]);
  expect(toTroubles([away], [{ from: 1_000, to: 9_000 }])).toEqual([
    { from: 10_000, to: 47_000 },
    { from: 9_000, to: 19_000 },
  ]);
});

test("tries that were overtaken are counted over all logs", () => {
  const tried = (outcome: string) => JSON.stringify({ level: "info", outcome, msg: "message.forwarded" });
  expect(countOvertaken([])).toBe(0);
  expect(countOvertaken([`${tried("overtaken")}\n${tried("done")}`, tried("overtaken")])).toBe(2);
});

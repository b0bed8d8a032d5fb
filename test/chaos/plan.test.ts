import { expect, test } from "vitest";
import { countFaults } from "./count-faults.ts";
import { type ChaosOptions, readOptions } from "./options.ts";
import { toPlan } from "./plan.ts";
import { findTokens, readToken } from "./tokens.ts";

const options: ChaosOptions = { seed: 7, messages: 300, customers: 30, replicas: 3, secondsMax: 60 };

test("the same options make the same plan, another seed makes another", () => {
  expect(toPlan(options)).toEqual(toPlan(options));
  expect(toPlan({ ...options, seed: 8 }).digest).not.toBe(toPlan(options).digest);
});

test("all messages are given out, every text carries a token of its own, and its customer is found by it", () => {
  const { customers } = toPlan({ ...options, messages: 1_003 });
  const texts = customers.flatMap(({ messages }) => messages.flatMap(({ text, replies }) => [text, ...replies.map((reply) => reply.text)]));
  expect(customers.flatMap(({ messages }) => messages)).toHaveLength(1_003);
  const tokens = texts.flatMap((text) => findTokens(text));
  expect(new Set(tokens).size).toBe(tokens.length);
  for (const [index, { messages }] of customers.entries()) {
    expect(messages.map(({ text }) => readToken(text))).toEqual(messages.map((_, number) => ({ customer: index, number: number + 1 })));
  }
});

test("every plan has faults of every kind, and leaves the end of the traffic alone", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { faults } = toPlan({ ...options, seed });
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(["kill", "roll", "freeze", "postgres", "expire-tokens", "spoil"]));
    expect(new Set(faults.flatMap((fault) => (fault.kind === "postgres" ? [fault.mode] : [])))).toEqual(new Set(["immediate", "fast"]));
    expect(new Set(faults.flatMap((fault) => (fault.kind === "spoil" ? [fault.target] : [])))).toEqual(new Set(["desk", "send"]));
    for (const { at } of faults) expect(at).toBeLessThanOrEqual(270);
  }
});

test("the default form has 10,000 messages and over a hundred faults; both forms stop replicas for longer than a worker's lease", () => {
  for (const [args, messages, faultsMin, freezes] of [
    [[], 10_000, 100, 6],
    [["--short"], 1_000, 10, 1],
  ] as const) {
    const { customers, faults } = toPlan(readOptions([...args], () => 7));
    expect(customers.flatMap((customer) => customer.messages)).toHaveLength(messages);
    expect(faults.length).toBeGreaterThanOrEqual(faultsMin);
    const standsMs = faults.flatMap((fault) => (fault.kind === "freeze" ? [fault.standsMs] : []));
    expect(standsMs).toEqual(Array(freezes).fill(40_000));
  }
});

test("each replica starts with a clock of its own, up to 30 s off, and comes back with another", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { clocksMs, faults } = toPlan({ ...options, messages: 1_000, seed });
    const restarts = faults.flatMap((fault) => (fault.kind === "kill" || fault.kind === "roll" ? [fault.clockMs] : []));
    const all = [...clocksMs, ...restarts];
    expect(clocksMs).toHaveLength(options.replicas);
    expect(clocksMs.slice(0, 2)).toEqual([30_000, -30_000]);
    expect(restarts).toHaveLength(4);
    expect(new Set(all).size).toBe(all.length);
    for (const clockMs of all) expect(Math.abs(clockMs)).toBeLessThanOrEqual(30_000);
  }
});

test("faults are counted by kind, with the requests that they spoil", () => {
  const spoil = { at: 1, kind: "spoil", target: "desk", account: "wecom", how: { kind: "status", status: 503 } } as const;
  const freeze = { at: 2, kind: "freeze", replica: 0, standsMs: 40_000 } as const;
  expect(countFaults([{ ...spoil, times: 2 }, freeze, { ...spoil, times: 3 }])).toEqual(
    new Map([
      ["desk status 503", { faults: 2, requests: 5 }],
      ["freeze for 40 s", { faults: 1, requests: 0 }],
    ]),
  );
});

test("options are read strictly; --short is a smaller run, and what is given besides wins", () => {
  const read = (...args: string[]) => readOptions(args, () => 5);
  expect(read()).toEqual({ seed: 5, messages: 10_000, customers: 100, replicas: 3, secondsMax: 1_800 });
  expect(read("--short", "--seed", "9", "--messages", "50")).toMatchObject({ seed: 9, messages: 50, customers: 60 });
  expect(() => read("--replicas", "1")).toThrow("--replicas must be a whole number from 2");
  expect(() => read("--sede", "1")).toThrow(TypeError);
});

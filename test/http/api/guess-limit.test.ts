import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGuessLimit } from "../../../src/http/api/guess-limit.ts";
import { Problem } from "../../../src/http/problem.ts";
import { eventually } from "../../support/gateway.ts";
import { callWith, createApi, KEYS } from "./app.ts";

let app: FastifyInstance;

// A viewer's request for a route that is not there: authenticated like all others, and then 404.
const tryKey = async (key: string, address: string) => (await callWith(app, key, address)("GET", "/nowhere")).statusCode;

async function useUp(address: string): Promise<void> {
  for (let guess = 0; guess < 10; guess += 1) expect(await tryKey(`wrong-${guess}`, address)).toBe(401);
}

beforeEach(async () => {
  app = await createApi();
});

afterEach(() => app.close());

test("after ten wrong keys within a minute a further wrong one is told to wait, in seconds", async () => {
  await useUp("192.0.2.1");
  const answer = await callWith(app, "wrong-11", "192.0.2.1")("GET", "/nowhere");
  expect(answer.json()).toMatchObject({ status: 429, code: "RATE_LIMITED", detail: expect.stringContaining("wait") });
  expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
  expect(Number(answer.headers["retry-after"])).toBeLessThanOrEqual(60);
  expect(await tryKey("wrong-12", "192.0.2.2")).toBe(401);
});

test("a valid key works at once where others have sent any number of wrong ones, also when it is new there", async () => {
  await useUp("192.0.2.1");
  expect(await tryKey("wrong-11", "192.0.2.1")).toBe(429);
  for (const key of [KEYS.operator, KEYS.admin, KEYS.operator]) expect(await tryKey(key, "192.0.2.1")).toBe(404);
  expect(await tryKey("wrong-12", "192.0.2.1")).toBe(429);
});

test("of many keys tried at the same moment only ten are told that they are wrong", async () => {
  const statuses = await Promise.all(Array.from({ length: 50 }, (_, guess) => tryKey(`wrong-${guess}`, "192.0.2.1")));
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(40);
});

test("a request without a key is no guess, and neither is a header of the client's own that names an address", async () => {
  for (let request = 0; request < 20; request += 1) expect((await app.inject("/api/v1/nowhere")).statusCode).toBe(401);
  for (let guess = 0; guess < 10; guess += 1) {
    const headers = { "x-forwarded-for": `198.51.100.${guess}`, forwarded: `for=198.51.100.${guess}` };
    expect((await callWith(app, `wrong-${guess}`)("GET", "/nowhere", undefined, headers)).statusCode).toBe(401);
  }
  expect(await tryKey("wrong-11", "127.0.0.1")).toBe(429);
});

test("the addresses of one IPv6 network count together, and IPv4 in IPv6's clothes is IPv4", async () => {
  await useUp("2001:db8:0:1::1");
  expect(await tryKey("wrong", "2001:db8:0:1:ffff:ffff:ffff:ffff")).toBe(429);
  expect(await tryKey("wrong", "2001:db8:0:2::1")).toBe(401);
  await useUp("::ffff:192.0.2.1");
  expect(await tryKey("wrong", "192.0.2.1")).toBe(429);
});

test("when the time is over, wrong keys are told so again", async () => {
  const limit = createGuessLimit({ failuresMax: 1, windowSeconds: 1 });
  const isLimited = () =>
    limit.failed("192.0.2.1").then(
      () => false,
      (error: unknown) => {
        if (error instanceof Problem && error.problemCode === "RATE_LIMITED") return true;
        throw error;
      },
    );
  expect(await isLimited()).toBe(false);
  expect(await isLimited()).toBe(true);
  await eventually("the end of the wait", isLimited, (limited) => !limited);
});

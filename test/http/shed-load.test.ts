import Fastify, { type FastifyReply } from "fastify";
import { afterEach, expect, test, vi } from "vitest";
import { createAdmission } from "../../src/base/admission.ts";
import { acceptRawBodies } from "../../src/http/raw-body.ts";
import { shedLoad } from "../../src/http/shed-load.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A surface that has room for one request, which is answered when the test says so. */
async function stage() {
  const app = Fastify();
  const lines: unknown[] = [];
  const seen: unknown[] = [];
  const answers: (() => void)[] = [];
  const admission = createAdmission({ lines: [], waitMsMax: 1, waitingMax: 1, openMax: 1, loopDelayMs: () => 0 });
  const log = { warn: (fields: object, what: string) => lines.push({ ...fields, what }) };
  shedLoad(app, { admission, log: log as never, refuse: (reply: FastifyReply) => reply.code(503).send("later") });
  acceptRawBodies(app, 100);
  app.post("/:id", async (request) => {
    seen.push(request.body);
    await new Promise<void>((resolve) => answers.push(resolve));
    if (request.headers.fail) throw new Error("not stored");
    return "taken";
  });
  app.get("/:id", async () => "here");
  const post = (headers = {}, payload = "body") => app.inject({ method: "POST", url: "/x", payload, headers });
  return { app, lines, seen, answers, admission, post };
}

test("beyond its room a request is refused at once and its body is not looked at; the next one after an answer is let in", async () => {
  const { seen, answers, admission, post } = await stage();
  const first = post();
  await vi.waitUntil(() => answers.length === 1);
  expect(await post({}, "x".repeat(1_000))).toMatchObject({ statusCode: 503, body: "later" });
  answers[0]?.();
  expect((await first).statusCode).toBe(200);

  const failing = post({ fail: "yes" });
  await vi.waitUntil(() => answers.length === 2);
  answers[1]?.();
  expect((await failing).statusCode).toBe(500);
  expect((await post({}, "x".repeat(1_000))).statusCode).toBe(413);
  expect(admission.open()).toBe(0);
  expect(seen).toHaveLength(2);
});

test("what people and WeChat's address check ask is not refused", async () => {
  const { app, answers, post } = await stage();
  const first = post();
  await vi.waitUntil(() => answers.length === 1);
  expect((await app.inject("/x")).statusCode).toBe(200);
  answers[0]?.();
  await first;
});

test("all that are refused within five seconds are one line in the log", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { lines, answers, post } = await stage();
  const first = post();
  while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let index = 0; index < 7; index++) expect((await post()).statusCode).toBe(503);
  await vi.advanceTimersByTimeAsync(5_000);
  const line = {
    route: "/:id",
    why: "too many are open",
    open: 1,
    waiting: 0,
    expectedMs: 0,
    what: expect.stringMatching(/^gateway\.overloaded: /),
  };
  expect(lines).toEqual([{ ...line, refused: 7 }]);
  expect((await post()).statusCode).toBe(503);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(lines).toEqual([
    { ...line, refused: 7 },
    { ...line, refused: 1 },
  ]);
  answers[0]?.();
  expect((await first).statusCode).toBe(200);
});

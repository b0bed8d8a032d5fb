import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { toConversationId } from "../../../src/domain/ids.ts";
import type { MessageState } from "../../../src/domain/message.ts";
import { DONE, type Outcome } from "../../../src/domain/outcome.ts";
import { shownConversation } from "../../../src/http/api/schemas/conversation.ts";
import { shownMessage, shownMessageWithAttempts } from "../../../src/http/api/schemas/message.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../../support/store.ts";
import { callAs, createApi } from "./app.ts";

let testStore: TestStore;
let app: FastifyInstance;
let now = new Date();
const delivered: string[] = [];
let received = 0;

beforeAll(async () => {
  testStore = await openTestStore();
  const { accounts, conversations, outbound } = testStore.store;
  for (const id of ["shop", "list", "passive"]) await accounts.create(newAccount(id), TESTER);
  const { settings } = newAccount("passive");
  await accounts.update("passive", { settings: { ...settings, replies: { ...settings.replies, async: false } } }, TESTER);
  const connections = { get: async () => null, forget: () => {} };
  app = await createApi({
    accounts,
    connections,
    conversations,
    outbound,
    deliver: ({ conversationId }) => void delivered.push(conversationId),
    now: () => now,
  });
});

afterAll(async () => {
  await app.close();
  await testStore.close();
});

/** Stores a text of a contact, as an opened callback does. */
async function receive(accountId: string, openId: string, text: string, { openForMs = 0, windowMs = 48 * 3_600_000, repliesMax = 5 } = {}) {
  received += 1;
  const conversationId = toConversationId(accountId, openId);
  const recorded = await testStore.store.inbound.record({
    messageId: `ms_${String(received).padStart(32, "0")}`,
    conversationId,
    accountId,
    message: {
      openId,
      dedupeKey: `key-${received}`,
      vendorMessageId: "6054768590064713728",
      sentAt: new Date("2026-01-31T02:03:04.005Z"),
      content: { type: "text", text },
    },
    forward: true,
    openForMs,
    openForQueryMs: 0,
    allowance: { windowMs, repliesMax },
  });
  if (!recorded) throw new Error("nothing was recorded");
  return recorded;
}

/** Takes the first reply of a conversation to its end, as a worker does; without more, the platform took it. */
async function endFirst(
  conversationId: string,
  startedAt: Date,
  { outcome, state }: { outcome: Outcome; state: MessageState } = { outcome: DONE, state: "sent" },
): Promise<void> {
  const { queues } = testStore.store;
  const options = { holder: "worker-test", messagesMax: 1, leaseMs: 60_000 };
  const claim = await queues.claimQueue({ conversationId, direction: "outbound" }, options);
  const [queued] = claim?.messages ?? [];
  if (!claim || !queued) throw new Error("nothing was claimed");
  await queues.begin(claim, [queued], "async", options.leaseMs);
  const attempt = { startedAt, durationMs: 12 };
  const settlement = { outcome, next: { kind: "finished", state }, way: "async", attempt } as const;
  await queues.settle(claim, [queued], settlement, { keepForMs: null });
}

const get = async (path: string) => (await callAs(app, "viewer")("GET", path)).json();

async function pagesOf(path: string): Promise<{ id: string }[][]> {
  const pages: { id: string }[][] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: { items: { id: string }[]; nextCursor: string | null } = await get(`${path}${cursor && `&cursor=${cursor}`}`);
    pages.push(page.items);
    cursor = page.nextCursor;
  }
  return pages;
}

describe("a conversation", () => {
  test("is shown by its id and by its contact, with every field of the contract", async () => {
    const { conversationId } = await receive("shop", "oABC", "hello");
    const shown = await get(`/conversations/${conversationId}`);
    expect(shownConversation.parse(shown)).toEqual({
      id: conversationId,
      accountId: "shop",
      openId: "oABC",
      status: "unknown",
      turn: null,
      agentName: null,
      notice: null,
      statusAt: null,
      contact: { nickname: null, number: null, email: null },
      lastInboundAt: expect.stringMatching(/\.\d{3}Z$/),
      lastReplyAt: null,
      reply: { ways: ["async"], windowClosesAt: expect.stringMatching(/\.\d{3}Z$/), remaining: 5, held: 0 },
      pending: { toDesk: 1, toCustomer: 0, dead: 0, failed: 0, uncertain: 0 },
    });
    expect(await get("/accounts/shop/contacts/oABC/conversation")).toEqual(shown);
  });

  test("shows what the desk said of it", async () => {
    const { conversationId } = await receive("shop", "oStatus", "hello");
    const report = { status: "chatting", turn: 0, agentName: "Ann", notice: "Ann is here" } as const;
    await testStore.store.outbound.report({ conversationId, accountId: "shop", openId: "oStatus" }, report);
    expect(await get(`/conversations/${conversationId}`)).toMatchObject({ ...report, statusAt: expect.stringMatching(/\.\d{3}Z$/) });
  });

  test("counts its replies that failed or are uncertain, each by its name", async () => {
    const { conversationId } = await receive("shop", "oStopped", "hello");
    const said = callAs(app, "operator");
    for (const state of ["failed", "uncertain", "uncertain"] as const) {
      await said("POST", `/conversations/${conversationId}/messages`, { type: "text", text: "hi" });
      const outcome = { kind: state === "failed" ? "rejected" : "uncertain", code: "X", detail: "no" } as const;
      await endFirst(conversationId, new Date(), { outcome, state });
    }
    expect(await get(`/conversations/${conversationId}`)).toMatchObject({
      pending: { toDesk: 1, toCustomer: 0, dead: 0, failed: 1, uncertain: 2 },
    });
  });

  test("offers the ways that are open: both, passive only, none after the window", async () => {
    const waysOf = async (id: string) => (await get(`/conversations/${id}`)).reply.ways;
    const open = await receive("shop", "oOpen", "hello", { openForMs: 60_000 });
    expect(await waysOf(open.conversationId)).toEqual(["passive", "async"]);
    const passiveOnly = await receive("passive", "oPassive", "hello", { openForMs: 60_000 });
    expect(await waysOf(passiveOnly.conversationId)).toEqual(["passive"]);
    const late = await receive("shop", "oLate", "hello", { windowMs: 1_000 });
    now = new Date(Date.now() + 60_000);
    expect(await waysOf(late.conversationId)).toEqual([]);
    expect(await waysOf(open.conversationId)).toContain("async");
    now = new Date();
  });

  test("of a disabled account offers none", async () => {
    await testStore.store.accounts.create(newAccount("off"), TESTER);
    const { conversationId } = await receive("off", "oOff", "hello", { openForMs: 60_000 });
    expect((await get(`/conversations/${conversationId}`)).reply.ways).toEqual(["passive", "async"]);
    await testStore.store.accounts.update("off", { enabled: false }, TESTER);
    expect((await get(`/conversations/${conversationId}`)).reply.ways).toEqual([]);
  });

  test.each([
    "/conversations/cv_absent",
    "/conversations/cv_absent/messages",
    "/accounts/shop/contacts/oAbsent/conversation",
    "/messages/ms_absent",
  ])("that is not there is 404: %s", async (path) => {
    expect(await get(path)).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });
});

describe("the list of conversations", () => {
  const ids: string[] = [];

  beforeAll(async () => {
    for (let index = 0; index < 5; index += 1) {
      ids.unshift((await receive("list", `oList${index}`, "hello")).conversationId);
      // Two of one millisecond are in the order of their ids.
      const receivedAt = Date.now();
      await vi.waitUntil(() => Date.now() > receivedAt + 1, { interval: 1, timeout: 60_000 });
    }
  });

  test("gives each conversation once, newest first, over pages of any size", async () => {
    for (const limit of [1, 2, 5, 200]) {
      const pages = await pagesOf(`/conversations?accountId=list&limit=${limit}`);
      expect(pages.flat().map(({ id }) => id)).toEqual(ids);
      expect(pages).toHaveLength(Math.ceil(5 / limit));
    }
  });

  test("does not repeat or skip when a new one comes in between two pages", async () => {
    const first = await get("/conversations?accountId=list&limit=3");
    const { conversationId } = await receive("list", "oNewer", "hello");
    const second = await get(`/conversations?accountId=list&limit=3&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items].map(({ id }: { id: string }) => id)).toEqual(ids);
    expect((await get("/conversations?accountId=list&limit=1")).items).toMatchObject([{ id: conversationId }]);
  });

  test("narrows by account, status, agent, text and time", async () => {
    const { conversationId } = await receive("list", "oFound%_", "hello");
    const place = { conversationId, accountId: "list", openId: "oFound%_" };
    await testStore.store.outbound.report(place, { status: "chatting", agentName: "Bo" });
    const found = { items: [{ id: conversationId }], nextCursor: null };
    expect(await get("/conversations?accountId=list&status=chatting")).toMatchObject(found);
    expect(await get("/conversations?agentName=Bo")).toMatchObject(found);
    expect(await get("/conversations?q=found%25_")).toMatchObject(found);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    expect(await get(`/conversations?updatedSince=${tomorrow}`)).toEqual({ items: [], nextCursor: null });
  });

  test.each(["x", "bm90IGEgY3Vyc29y", "W10"])("refuses the cursor %j", async (cursor) => {
    expect(await get(`/conversations?cursor=${cursor}`)).toMatchObject({ status: 400, code: "CURSOR_INVALID" });
  });
});

describe("the contact of a conversation", () => {
  test("changes where it is told to, keeps the rest, and null removes", async () => {
    const { conversationId } = await receive("shop", "oContact", "hello");
    const patch = (contact: object) => callAs(app, "operator")("PATCH", `/conversations/${conversationId}`, { contact });
    expect((await patch({ nickname: "小明 🙂", email: "a@example.com" })).json()).toMatchObject({
      contact: { nickname: "小明 🙂", number: null, email: "a@example.com" },
    });
    await patch({ number: "+86 138 0013 8000", email: null });
    expect(await get(`/conversations/${conversationId}`)).toMatchObject({
      contact: { nickname: "小明 🙂", number: "+86 138 0013 8000", email: null },
    });
    expect((await patch({})).statusCode).toBe(400);
  });
});

describe("messages", () => {
  test("are listed newest first, each once, and shown with their attempts", async () => {
    for (const text of ["one", "two", " 3 🙂 "]) await receive("shop", "oMessages", text);
    const { messageId, conversationId } = await receive("shop", "oMessages", "&amp; ]]>");
    const messages = (await pagesOf(`/conversations/${conversationId}/messages?limit=3`)).flat();
    expect(messages.map((message) => shownMessage.parse(message).text)).toEqual(["&amp; ]]>", " 3 🙂 ", "two", "one"]);
    const shown = await get(`/messages/${messageId}`);
    expect(shownMessageWithAttempts.parse(shown)).toEqual({ ...messages[0], attempts: [] });
    expect(shown).toMatchObject({
      direction: "inbound",
      origin: "contact",
      state: "received",
      content: { type: "text", text: "&amp; ]]>" },
    });
  });

  test("that were sent show when, how and how long, and use up what the platform still takes", async () => {
    const { conversationId } = await receive("shop", "oSent", "hello", { repliesMax: 1 });
    const said = await callAs(app, "operator")("POST", `/conversations/${conversationId}/messages`, { type: "text", text: "hi" });
    await endFirst(conversationId, new Date("2026-01-31T02:03:04.005Z"));
    expect(shownMessageWithAttempts.parse(await get(`/messages/${said.json().id}`))).toMatchObject({
      state: "sent",
      way: "async",
      attempts: [
        { number: 1, startedAt: "2026-01-31T02:03:04.005Z", durationMs: 12, outcome: "done", code: null, detail: null, way: "async" },
      ],
    });
    expect(await get(`/conversations/${conversationId}`)).toMatchObject({ reply: { ways: [], remaining: 0 }, pending: { toCustomer: 0 } });
  });

  test("of a list of conversations do not take its cursor", async () => {
    const { conversationId } = await receive("shop", "oCursor", "hello");
    const { nextCursor } = await get("/conversations?limit=1");
    const page = await get(`/conversations/${conversationId}/messages?cursor=${nextCursor}`);
    expect(page).toMatchObject({ status: 400, code: "CURSOR_INVALID" });
  });
});

describe("saying something to the customer", () => {
  test("stores it, has it delivered, and shows it", async () => {
    const { conversationId } = await receive("shop", "oSay", "hello");
    const answer = await callAs(app, "operator")("POST", `/conversations/${conversationId}/messages`, { type: "text", text: "你好 🙂" });
    expect(answer.statusCode).toBe(201);
    const message = shownMessage.parse(answer.json());
    expect(message).toMatchObject({
      conversationId,
      direction: "outbound",
      origin: "operator",
      text: "你好 🙂",
      state: "queued",
      way: null,
    });
    expect(delivered).toContain(conversationId);
    expect(await get(`/conversations/${conversationId}`)).toMatchObject({ pending: { toCustomer: 1 } });
  });

  test("twice without a key says it twice", async () => {
    const { conversationId } = await receive("shop", "oTwice", "hello");
    const say = () => callAs(app, "operator")("POST", `/conversations/${conversationId}/messages`, { type: "text", text: "again" });
    expect([(await say()).statusCode, (await say()).statusCode]).toEqual([201, 201]);
    expect((await get(`/conversations/${conversationId}/messages`)).items).toHaveLength(3);
  });

  test("twice with the same key says it once, also at the same moment", async () => {
    const { conversationId } = await receive("shop", "oOnce", "hello");
    const say = (text: string, key: string) =>
      callAs(app, "operator")("POST", `/conversations/${conversationId}/messages`, { type: "text", text }, { "idempotency-key": key });
    const answers = await Promise.all([say("once", "k-1"), say("once", "k-1"), say("once", "k-1")]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 201]);
    expect(new Set(answers.map((answer) => answer.json().id)).size).toBe(1);
    expect((await say("other", "k-1")).json()).toMatchObject({ status: 422, code: "IDEMPOTENCY_KEY_REUSED" });
    expect((await say("once", "k-2")).statusCode).toBe(201);
    expect((await get(`/conversations/${conversationId}/messages`)).items).toHaveLength(3);
  });

  test("into a conversation that is not there is 404 and stores nothing", async () => {
    const answer = await callAs(app, "operator")("POST", "/conversations/cv_absent/messages", { type: "text", text: "x" });
    expect(answer.json()).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });
});

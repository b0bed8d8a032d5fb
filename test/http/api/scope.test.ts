import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../../src/domain/api-key.ts";
import { callWith } from "./app.ts";
import { type Belongings, createBelongings, createKey, type EveryRoute, openEveryRoute, type Route, toRequest } from "./every-route.ts";

let opened: EveryRoute;
let theirs: Belongings;
let ours: Belongings;
let limited: string;

beforeAll(async () => {
  opened = await openEveryRoute();
  theirs = await createBelongings(opened.store, "theirs");
  ours = await createBelongings(opened.store, "ours");
  limited = (await createKey(opened.store, { accountIds: ["ours"] })).key;
});

afterAll(() => opened.close());

const NOBODY: Belongings = { accountId: "nobody", openId: "oNobody", conversationId: "cv_0", messageId: "ms_0", keyId: "key_0", text: "" };

async function call(key: string, route: Route, belongings: Belongings) {
  const { method, path, body } = toRequest(route, belongings);
  const answer = await callWith(opened.app, key)(method, path, body);
  return { status: answer.statusCode, body: answer.body };
}

/** Everything of theirs that a change would show in. */
async function lookAtTheirs() {
  const { accounts, conversations, apiKeys, audit } = opened.store;
  return {
    account: await accounts.get(theirs.accountId),
    conversation: await conversations.get(theirs.conversationId, ALL_ACCOUNTS),
    message: await conversations.message(theirs.messageId, ALL_ACCOUNTS),
    key: (await apiKeys.list()).find(({ id }) => id === theirs.keyId),
    audit: await audit.list({ accountId: theirs.accountId }, { limit: 200 }, ALL_ACCOUNTS),
  };
}

const withoutIds = (text: string) =>
  [theirs, NOBODY]
    .flatMap(({ text: _, ...ids }) => Object.values(ids))
    // An id may hold another one.
    .sort((a, b) => b.length - a.length)
    .reduce((rest, id) => rest.replaceAll(id, "…"), text);

test("on every route, to a key limited to another account what it asks for is as absent as what never was, and stays untouched", async () => {
  const before = await lookAtTheirs();
  for (const route of opened.routes) {
    const answer = await call(limited, route, theirs);
    if (answer.status < 300) {
      for (const trace of Object.values(theirs)) expect(answer.body, route.name).not.toContain(trace);
    } else {
      expect([403, 404], route.name).toContain(answer.status);
      const absent = await call(limited, route, NOBODY);
      expect({ status: answer.status, body: withoutIds(answer.body) }, route.name).toEqual({ ...absent, body: withoutIds(absent.body) });
    }
  }
  expect(await lookAtTheirs()).toEqual(before);
});

test("every route that is open to limited keys serves them what is theirs, the others are closed to them", async () => {
  // Last what would take away what the others need.
  const rank = ({ name, method }: (typeof opened.routes)[number]) => (name === "DELETE /accounts/:id" ? 2 : Number(method === "DELETE"));
  const routes = [...opened.routes].sort((a, b) => rank(a) - rank(b));
  expect(routes.filter(({ isOpenToLimitedKeys }) => !isOpenToLimitedKeys).map(({ name }) => name)).toEqual([
    "POST /accounts",
    "POST /api-keys",
    "GET /api-keys",
    "DELETE /api-keys/:id",
  ]);
  for (const route of routes) {
    const { status } = await call(limited, route, ours);
    expect(route.isOpenToLimitedKeys ? [200, 201, 204] : [403], route.name).toContain(status);
  }
});

describe("asked for an account outside its scope, a limited key", () => {
  beforeAll(async () => {
    await createBelongings(opened.store, "second");
    await createBelongings(opened.store, "third");
    limited = (await createKey(opened.store, { accountIds: ["second", "third"] })).key;
  });

  const api = (method: "GET" | "POST", path: string, body?: object) => callWith(opened.app, limited)(method, path, body);

  test.each(["/conversations?accountId=theirs", "/conversations?q=oCustomerOftheirs", "/audit?accountId=theirs", "/audit?actor=settings"])(
    "gets an empty list for %s",
    async (path) => {
      expect((await api("GET", path)).json()).toEqual({ items: [], nextCursor: null });
    },
  );

  test("sees all of its own accounts and nothing else", async () => {
    const accountIds = async (path: string) => (await api("GET", path)).json().items.map((item: { accountId: string }) => item.accountId);
    expect((await api("GET", "/accounts")).json().items.map(({ id }: { id: string }) => id)).toEqual(["second", "third"]);
    expect((await accountIds("/conversations")).sort()).toEqual(["second", "third"]);
    expect(new Set(await accountIds("/audit"))).toEqual(new Set(["second", "third"]));
  });

  test("sends nothing again, and of all accounts only what is its own", async () => {
    const [foreign, absent] = await Promise.all(
      ["theirs", "nobody"].map((accountId) => api("POST", "/messages/retry", { state: "dead", accountId })),
    );
    expect(foreign?.json()).toEqual({ ...absent?.json(), detail: 'there is no account "theirs"' });
    expect(absent?.json()).toMatchObject({ status: 404, code: "NOT_FOUND" });
    expect((await api("POST", "/messages/retry", { state: "dead", accountId: "third" })).json()).toEqual({ retried: 1, more: false });
    expect((await api("POST", "/messages/retry", { state: "dead" })).json()).toEqual({ retried: 1, more: false });
    expect((await opened.store.conversations.message(theirs.messageId, ALL_ACCOUNTS))?.message.state).toBe("dead");
  });
});

test("a key keeps its limit when its account is deleted", async () => {
  await createBelongings(opened.store, "gone");
  const { key } = await createKey(opened.store, { accountIds: ["gone"] });
  expect((await callWith(opened.app, key)("DELETE", "/accounts/gone?confirm=gone")).statusCode).toBe(204);
  expect((await callWith(opened.app, key)("GET", "/accounts")).json()).toEqual({ items: [] });
  expect((await callWith(opened.app, key)("GET", "/accounts/theirs")).statusCode).toBe(404);
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiKey } from "../../../src/domain/api-key.ts";
import { shownAuditEntry } from "../../../src/http/api/schemas/audit.ts";
import { TESTER } from "../../support/store.ts";
import { type Call, callWith } from "./app.ts";
import { createBelongings, createKey, type EveryRoute, openEveryRoute, toRequest } from "./every-route.ts";

/** Routes that are not GET and yet change nothing. */
const CHANGE_NOTHING = ["POST /accounts/:id/test"];

let opened: EveryRoute;
let admin: ApiKey;
let call: Call;

beforeAll(async () => {
  opened = await openEveryRoute();
  const { key, ...made } = await createKey(opened.store);
  admin = made;
  call = callWith(opened.app, key);
});

afterAll(() => opened.close());

interface Entry {
  id: string;
  actor: { id: string; name: string };
  action: string;
  accountId: string | null;
  subject: string | null;
  detail: Record<string, unknown>;
}

async function entriesOf(query: string): Promise<Entry[]> {
  return (await call("GET", `/audit?limit=200&${query}`)).json().items;
}

const byAdmin = () => entriesOf(`actor=${admin.id}`);

test("every route that changes something leaves an entry with who made it, and none with what was said or a value", async () => {
  const values = ["Your parcel has left.", "13800138000", "another-desk-key-0123456789", "said at"];
  for (const [index, route] of opened.routes.entries()) {
    const own = await createBelongings(opened.store, `audited-${index}`, {
      enabled: !route.name.endsWith("/enable"),
      hasOldSecret: route.name.endsWith("/previous"),
    });
    const { method, path, body } = toRequest(route, own);
    const before = await byAdmin();
    const answer = await call(method, path, body);
    expect([200, 201, 204], route.name).toContain(answer.statusCode);
    const added = (await byAdmin()).filter(({ id }) => !before.some((entry) => entry.id === id));
    if (method === "GET" || CHANGE_NOTHING.includes(route.name)) expect(added, route.name).toEqual([]);
    else expect(added.length, route.name).toBeGreaterThan(0);
    for (const entry of added) {
      expect(shownAuditEntry.parse(entry)).toMatchObject({ actor: { id: admin.id, name: admin.name } });
      for (const value of values) expect(JSON.stringify(entry), route.name).not.toContain(value);
    }
  }
});

describe("the entry", () => {
  const newest = async () => (await byAdmin())[0];

  test("of a contact's change names the fields that became different, and there is none when none did", async () => {
    const { conversationId } = await createBelongings(opened.store, "contact");
    const contact = { number: "007", email: null };
    await call("PATCH", `/conversations/${conversationId}`, { contact });
    const entry = { action: "contact.changed", accountId: "contact", subject: conversationId, detail: { fields: ["number"] } };
    expect(await newest()).toMatchObject(entry);
    await call("PATCH", `/conversations/${conversationId}`, { contact });
    expect(await entriesOf("accountId=contact&action=contact.changed")).toHaveLength(1);
  });

  test("of a message has its id, and the same message said again with its idempotency key has no second one", async () => {
    const { conversationId } = await createBelongings(opened.store, "writing");
    const say = () => call("POST", `/conversations/${conversationId}/messages`, { type: "text", text: "Hi" }, { "idempotency-key": "one" });
    const { id } = (await say()).json();
    expect((await say()).json().id).toBe(id);
    expect(await entriesOf("accountId=writing&action=message.written")).toMatchObject([{ subject: id, detail: {} }]);
  });

  test("of a message sent again has its id; of many, their number in each account", async () => {
    await call("POST", "/messages/retry", { state: "dead" });
    const { messageId } = await createBelongings(opened.store, "again-1");
    await call("POST", `/messages/${messageId}/retry`);
    await call("POST", `/messages/${messageId}/retry`);
    expect(await entriesOf("accountId=again-1&action=message.retried")).toMatchObject([{ subject: messageId, detail: {} }]);
    await createBelongings(opened.store, "again-2");
    await createBelongings(opened.store, "again-3");
    await call("POST", "/messages/retry", { state: "dead" });
    for (const accountId of ["again-2", "again-3"]) {
      const entry = { accountId, subject: null, detail: { messages: 1, states: ["dead"] } };
      expect(await entriesOf(`accountId=${accountId}&action=message.retried`)).toMatchObject([entry]);
    }
  });

  test("of an API key says for what it is good", async () => {
    const { id } = (await call("POST", "/api-keys", { name: "console", role: "operator", accountIds: ["contact"] })).json();
    const entry = { accountId: null, subject: id, detail: { name: "console", role: "operator", accountIds: ["contact"] } };
    expect(await newest()).toMatchObject({ action: "api-key.created", ...entry });
    await call("DELETE", `/api-keys/${id}`);
    expect(await newest()).toMatchObject({ action: "api-key.deleted", ...entry });
  });

  test("stays when the account and the key are gone", async () => {
    await createBelongings(opened.store, "short-lived");
    await call("DELETE", "/accounts/short-lived?confirm=short-lived");
    const actions = (await entriesOf("accountId=short-lived")).map(({ action, actor }) => [action, actor.name]);
    expect(actions).toEqual([
      ["account.deleted", admin.name],
      ["account.created", TESTER.name],
    ]);
  });
});

describe("the list", () => {
  test("is paged newest first, and what is written meanwhile moves nothing", async () => {
    const { conversationId } = await createBelongings(opened.store, "paged");
    const change = (number: string) => call("PATCH", `/conversations/${conversationId}`, { contact: { number } });
    for (const number of ["1", "2", "3", "4"]) await change(number);
    const all = await entriesOf("accountId=paged");
    const seen: Entry[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: { items: Entry[]; nextCursor: string | null } = (
        await call("GET", `/audit?accountId=paged&limit=2${cursor && `&cursor=${cursor}`}`)
      ).json();
      seen.push(...page.items);
      cursor = page.nextCursor;
      await change(`later ${seen.length}`);
    }
    expect(seen).toEqual(all);
    expect(all.map(({ action }) => action)).toEqual([...Array.from({ length: 4 }, () => "contact.changed"), "account.created"]);
    expect(await entriesOf("accountId=paged")).not.toHaveLength(all.length);
  });

  test("holds only what was asked for", async () => {
    await createBelongings(opened.store, "filtered");
    const [entry] = await entriesOf("accountId=filtered");
    if (entry === undefined || !("at" in entry)) throw new Error("there is no entry");
    const at = String(entry.at);
    expect(await entriesOf(`accountId=filtered&since=${at}`)).toEqual([entry]);
    expect(await entriesOf(`accountId=filtered&until=${at}`)).toEqual([]);
    expect(await entriesOf(`accountId=filtered&action=account.deleted`)).toEqual([]);
    expect(await entriesOf(`accountId=filtered&actor=${TESTER.id}`)).toEqual([entry]);
  });

  test.each([
    ["cursor=bm90IG91cnM", "CURSOR_INVALID", "#/cursor"],
    ["action=account.eaten", "VALIDATION_FAILED", "#/action"],
    ["since=yesterday", "VALIDATION_FAILED", "#/since"],
    ["until=0000-01-01T00:00:00Z", "VALIDATION_FAILED", "#/until"],
    ["who=me", "VALIDATION_FAILED", "#/who"],
  ])("refuses ?%s with a pointer", async (query, code, pointer) => {
    expect((await call("GET", `/audit?${query}`)).json()).toMatchObject({ status: 400, code, errors: [{ pointer }] });
  });
});

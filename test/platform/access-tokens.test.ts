import { beforeEach, describe, expect, test } from "vitest";
import { AccessTokenRefusal, createAccessTokens, type FetchedToken } from "../../src/platform/access-tokens.ts";
import { createTokenStore, type MemoryTokenStore } from "../channels/token-store.ts";

const OWNER = { id: "shop", version: 1 };

let nowMs: number;
let store: MemoryTokenStore;
/** What the platform was asked: whether with force. */
let asked: boolean[];

const now = () => new Date(nowMs);
const tick = async (ms: number) => {
  nowMs += ms;
};

beforeEach(() => {
  nowMs = Date.parse("2026-11-22T08:00:00Z");
  store = createTokenStore(now);
  asked = [];
});

/** A process's custodian. */
function custodian() {
  return createAccessTokens({ store, now, wait: tick });
}

async function fetchToken(force: boolean): Promise<FetchedToken> {
  asked.push(force);
  return { value: `token-${asked.length}`, expiresInSeconds: 7200 };
}

describe("get", () => {
  test("fifty callers at once cause one fetch", async () => {
    const tokens = custodian();
    const got = await Promise.all(Array.from({ length: 50 }, () => tokens.get(OWNER, fetchToken)));
    expect(new Set(got)).toEqual(new Set(["token-1"]));
    expect(asked).toEqual([false]);
  });

  test("a token in memory costs no statement", async () => {
    const tokens = custodian();
    await tokens.get(OWNER, fetchToken);
    const before = store.statements();
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-1");
    expect(store.statements()).toBe(before);
  });

  test("a token is renewed five minutes before its end", async () => {
    const tokens = custodian();
    await tokens.get(OWNER, fetchToken);
    await tick(6_900_000 - 1);
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-1");
    await tick(1);
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-2");
    expect(asked).toEqual([false, false]);
  });

  test("a token of short life is renewed a tenth of it before its end", async () => {
    const tokens = custodian();
    const fetchShort = async (force: boolean) => ({ ...(await fetchToken(force)), expiresInSeconds: 60 });
    await tokens.get(OWNER, fetchShort);
    await tick(54_000 - 1);
    expect(await tokens.get(OWNER, fetchShort)).toBe("token-1");
    await tick(1);
    expect(await tokens.get(OWNER, fetchShort)).toBe("token-2");
  });

  test("a lifetime that had to be assumed is logged with each fetch, without the token", async () => {
    const warned: unknown[] = [];
    const log = { warn: (fields: unknown, event: string) => warned.push([event, fields]) };
    const tokens = createAccessTokens({ store, now, wait: tick, log });
    await tokens.get(OWNER, fetchToken);
    await tick(7_200_000);
    await tokens.get(OWNER, async (force) => ({ ...(await fetchToken(force)), expiresInSeconds: 300, lifetimeDoubt: "expires_in is 0" }));
    await tokens.get(OWNER, fetchToken);
    expect(warned).toEqual([["access_token.lifetime_assumed", { accountId: "shop", reason: "expires_in is 0" }]]);
  });

  test("the lifetime counts from the question, not from a slow answer", async () => {
    const tokens = custodian();
    await tokens.get(OWNER, async (force) => {
      await tick(4_000);
      return fetchToken(force);
    });
    await tick(6_900_000 - 4_000);
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-2");
  });

  test("another process finds the token in the store", async () => {
    await custodian().get(OWNER, fetchToken);
    expect(await custodian().get(OWNER, fetchToken)).toBe("token-1");
    expect(asked).toHaveLength(1);
  });

  test("two processes that need a token at once make one fetch; the other waits for it", async () => {
    const [first, second] = await Promise.all([custodian().get(OWNER, fetchToken), custodian().get(OWNER, fetchToken)]);
    expect([first, second]).toEqual(["token-1", "token-1"]);
    expect(asked).toHaveLength(1);
  });

  test("a process that died while fetching is succeeded when its lease has ended", async () => {
    await store.lease(OWNER.id, 10_000);
    const start = nowMs;
    expect(await custodian().get(OWNER, fetchToken)).toBe("token-1");
    expect(nowMs - start).toBeGreaterThanOrEqual(10_000);
  });

  test("a lease that never ends makes the wait fail, not hang", async () => {
    await store.lease(OWNER.id, 60_000);
    const failed = custodian().get(OWNER, fetchToken);
    await expect(failed).rejects.toMatchObject({ outcome: { kind: "retry", code: "ACCESS_TOKEN_BUSY" } });
    expect(asked).toEqual([]);
  });

  test("accounts do not wait for each other", async () => {
    const tokens = custodian();
    await store.lease("another", 60_000);
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-1");
    expect(await tokens.get({ id: "third", version: 1 }, fetchToken)).toBe("token-2");
  });

  test("a changed account forgets what is in memory", async () => {
    const tokens = custodian();
    await tokens.get(OWNER, fetchToken);
    await store.put(OWNER.id, { value: "token-of-the-new-secret", expiresAt: new Date(nowMs + 60_000) });
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-1");
    expect(await tokens.get({ ...OWNER, version: 2 }, fetchToken)).toBe("token-of-the-new-secret");
  });
});

describe("a failed fetch", () => {
  const refusal = new AccessTokenRefusal({ code: "40125", detail: "the appSecret is wrong" });
  const fail = () => Promise.reject(refusal);

  test("reaches everybody who waited, ends the lease, and is not remembered", async () => {
    const tokens = custodian();
    const failed = await Promise.allSettled([tokens.get(OWNER, fail), tokens.get(OWNER, fail)]);
    expect(failed.map((each) => each.status === "rejected" && each.reason)).toEqual([refusal, refusal]);
    expect(store.isLeased(OWNER.id)).toBe(false);
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-1");
  });

  test("of the store says no more than that, because a database may quote the token", async () => {
    store.put = () => Promise.reject(new Error("failing row contains (shop, token-1)"));
    const error = await custodian()
      .get(OWNER, fetchToken)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ outcome: { kind: "retry", code: "ACCESS_TOKEN_STORE_FAILED" } });
    expect(String(error)).not.toContain("token-1");
    expect(store.isLeased(OWNER.id)).toBe(false);
  });
});

describe("refresh", () => {
  test("replaces the refused token with force, once for fifty callers", async () => {
    const tokens = custodian();
    await tokens.get(OWNER, fetchToken);
    const got = await Promise.all(Array.from({ length: 50 }, () => tokens.refresh(OWNER, "token-1", fetchToken)));
    expect(new Set(got)).toEqual(new Set(["token-2"]));
    expect(asked).toEqual([false, true]);
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-2");
  });

  test("fetches nothing when this process has replaced the token already", async () => {
    const tokens = custodian();
    await tokens.get(OWNER, fetchToken);
    await tokens.refresh(OWNER, "token-1", fetchToken);
    expect(await tokens.refresh(OWNER, "token-1", fetchToken)).toBe("token-2");
    expect(asked).toHaveLength(2);
  });

  test("fetches nothing when another process has replaced the token already", async () => {
    const [here, there] = [custodian(), custodian()];
    await here.get(OWNER, fetchToken);
    await there.get(OWNER, fetchToken);
    await there.refresh(OWNER, "token-1", fetchToken);
    expect(await here.refresh(OWNER, "token-1", fetchToken)).toBe("token-2");
    expect(asked).toHaveLength(2);
  });

  test("that meets a get under way, which brings the refused token, fetches a new one", async () => {
    await store.put(OWNER.id, { value: "token-0", expiresAt: new Date(nowMs + 60_000) });
    const tokens = custodian();
    const [got, refreshed] = await Promise.all([tokens.get(OWNER, fetchToken), tokens.refresh(OWNER, "token-0", fetchToken)]);
    expect(got).toBe("token-0");
    expect(refreshed).toBe("token-1");
    expect(await tokens.get(OWNER, fetchToken)).toBe("token-1");
  });

  test("forces at most once in 30 seconds", async () => {
    const tokens = custodian();
    await tokens.get(OWNER, fetchToken);
    await tokens.refresh(OWNER, "token-1", fetchToken);
    await tick(29_999);
    await tokens.refresh(OWNER, "token-2", fetchToken);
    await tick(1);
    await tokens.refresh(OWNER, "token-3", fetchToken);
    expect(asked).toEqual([false, true, false, true]);
  });

  test("gives the same token when the platform does, without asking twice", async () => {
    const tokens = custodian();
    const fetchSame = async (force: boolean) => {
      asked.push(force);
      return { value: "the-same", expiresInSeconds: 7200 };
    };
    await tokens.get(OWNER, fetchSame);
    expect(await tokens.refresh(OWNER, "the-same", fetchSame)).toBe("the-same");
    expect(asked).toHaveLength(2);
  });
});

import pg from "pg";
import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { PrismaClient } from "../../src/generated/prisma/client.ts";
import { createReplayStore } from "../../src/store/replay.ts";
import { createRetentionStore } from "../../src/store/retention.ts";
import { useFlowStage } from "../flow/stage.ts";
import { eventually } from "../support/gateway.ts";
import { TESTER } from "../support/store.ts";

/*
 * Each place behind the cursor has a message. A place without one would end its queue for ever, because a settle moves the cursor by what
 * it settles.
 */

const stage = useFlowStage();
const onServer = test.runIf(process.env.TEST_DATABASE_URL);
const CLAIM = { holder: "worker-1", messagesMax: 10, leaseMs: 30_000 };
const DEAD = {
  outcome: { kind: "rejected", code: "REFUSED", detail: "refused" },
  next: { kind: "finished", state: "dead" },
  way: null,
} as const;
/** A message stored just now is older than this. */
const ANY_AGE_MS = -60_000;

const queueOf = (openId: string) => ({ conversationId: toConversationId("shop", openId), direction: "inbound" }) as const;

/** A message of this contact, and what ends it as dead. */
async function write(openId: string): Promise<{ messageId: string; die: () => Promise<unknown> }> {
  const { inbound, queues } = stage.opened.store;
  const content = { type: "text", text: "hi" } as const;
  const { messageId, claim } = await inbound.record({
    ...{ messageId: newMessageId(new Date()), conversationId: toConversationId("shop", openId), accountId: "shop" },
    message: { openId, dedupeKey: openId, vendorMessageId: null, sentAt: new Date(), content },
    ...{ forward: true, holder: CLAIM.holder, openForMs: 0, openForQueryMs: 0, allowance: null },
  });
  if (claim === null) throw new Error("the queue was not claimed");
  const attempt = { startedAt: new Date(), durationMs: 1 };
  return { messageId, die: () => queues.settle(claim, [claim.messages[0] as never], { ...DEAD, attempt }, { keepForMs: null }) };
}

/** A replay that may wait for locks, and that does this before it commits. */
function replayAnd(before: () => Promise<unknown>, messageId?: string) {
  const { database } = stage.opened;
  const $transaction: PrismaClient["$transaction"] = ((work: (tx: unknown) => Promise<unknown>) =>
    database.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SET LOCAL lock_timeout = '30s'`;
      const done = await work(tx);
      await before();
      return done;
    })) as never;
  const replays = createReplayStore({ ...database, prisma: { $transaction } as PrismaClient });
  return replays.replay({ limit: 100, ...(messageId === undefined ? {} : { messageId }) }, ALL_ACCOUNTS, TESTER);
}

async function openTransaction() {
  const { address } = stage.opened;
  if (address.kind !== "server") throw new Error("an embedded database has one session");
  const client = new pg.Client({ connectionString: address.url });
  await client.connect();
  await client.query("BEGIN");
  return {
    query: async <Row>(text: string, values: readonly unknown[]) => (await client.query({ text, values: [...values] })).rows as Row[],
    commit: async () => {
      await client.query("COMMIT");
      await client.end();
    },
  };
}

/** Until this piece of work waits for a lock, or is over. */
async function waits(work: Promise<unknown>): Promise<void> {
  let isOver = false;
  const end = () => (isOver = true);
  work.then(end, end);
  const look = async () => {
    const [row] = await stage.opened.database.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      [],
    );
    return isOver || (row?.count ?? 0) > 0;
  };
  await eventually("a wait for a lock", look, (is) => is);
}

/** What waits in the queue, and what a claim finds of it. */
async function waitingOf(openId: string) {
  const conversation = await stage.opened.store.conversations.get(queueOf(openId).conversationId, ALL_ACCOUNTS);
  const claim = await stage.opened.store.queues.claimQueue(queueOf(openId), CLAIM);
  return { waiting: conversation?.pending.toDesk, places: claim?.messages.map(({ place }) => place) ?? [] };
}

onServer("a message that is just being sent again is not removed, however old", async () => {
  const { die } = await write("oA");
  await die();
  let removing: Promise<number> | undefined;
  await replayAnd(async () => {
    removing = stage.opened.store.retention.removeOld(ANY_AGE_MS, 100);
    await waits(removing);
  });
  expect(await removing).toBe(0);
  expect(await waitingOf("oA")).toEqual({ waiting: 1, places: [2] });
});

onServer("a message that is just being removed is not sent again", async () => {
  const { die } = await write("oA");
  await die();
  const { query, commit } = await openTransaction();
  expect(await createRetentionStore({ ...stage.opened.database, query }).removeOld(ANY_AGE_MS, 100)).toBe(1);
  const replaying = replayAnd(async () => {});
  await waits(replaying);
  await commit();
  expect(await replaying).toEqual([]);
  expect(await waitingOf("oA")).toEqual({ waiting: 0, places: [] });
});

onServer("a message that dies while one replay waits and is taken by another is sent again once", async () => {
  const [first, second] = [await write("oA"), await write("oB")];
  await first.die();
  const { query, commit } = await openTransaction();
  await query("SELECT FROM conversations WHERE id = $1 FOR NO KEY UPDATE", [queueOf("oA").conversationId]);
  const all = replayAnd(async () => {});
  await waits(all);
  await second.die();
  await replayAnd(async () => {
    await commit();
    await waits(all);
  }, second.messageId);
  await all;
  expect(await waitingOf("oA")).toEqual({ waiting: 1, places: [2] });
  expect(await waitingOf("oB")).toEqual({ waiting: 1, places: [2] });
});

import { expect, test } from "vitest";
import { newHolder } from "../../src/domain/ids.ts";
import type { Direction } from "../../src/domain/message.ts";
import type { Claim, Settlement } from "../../src/domain/queue.ts";
import { Prisma, type PrismaClient } from "../../src/generated/prisma/client.ts";
import type { Database } from "../../src/store/database/database.ts";
import { createStore } from "../../src/store/store.ts";
import { CONTACT, head, useFlowStage } from "../flow/stage.ts";
import { crowdOf } from "./crowd.ts";

const stage = useFlowStage();
const { write, say } = crowdOf(stage);

const LEASE_MS = 30_000;
const DONE: Settlement = {
  outcome: { kind: "done" },
  next: { kind: "finished", state: "forwarded" },
  way: null,
  attempt: { startedAt: new Date(), durationMs: 1 },
};

/** The same database, which keeps the text of every statement. */
function listening(database: Database, heard: Set<string>): Database {
  const prisma = new Proxy(database.prisma, {
    get: (target, name: keyof PrismaClient) => {
      if (name !== "$queryRaw" && name !== "$executeRaw") return target[name];
      return (strings: TemplateStringsArray, ...values: unknown[]) => {
        heard.add(Prisma.sql(strings, ...values).text);
        return target[name](strings, ...values);
      };
    },
  });
  const query: Database["query"] = (text, values) => {
    heard.add(text);
    return database.query(text, values);
  };
  return { ...database, prisma, query };
}

/** Where a plan that is made for good, without any value and while nothing is known of the tables, reads a whole one. */
async function wholeReadsOf(text: string): Promise<string[]> {
  const values = [...new Set(text.match(/\$\d+/g))].map(() => "NULL");
  return stage.opened.database.prisma.$transaction(async (tx) => {
    await tx.$executeRawUnsafe("SET LOCAL plan_cache_mode = force_generic_plan");
    await tx.$executeRawUnsafe(`PREPARE planned AS ${text}`);
    const lines = await tx.$queryRawUnsafe<Record<string, string>[]>(`EXPLAIN EXECUTE planned(${values.join(", ")})`);
    await tx.$executeRawUnsafe("DEALLOCATE planned");
    return lines.flatMap((line) => Object.values(line)).filter((line) => /Seq Scan|Hash Join|Merge Join/.test(line));
  });
}

test("planned for good on new tables, no statement of the busy path reads a whole one", async () => {
  const heard = new Set<string>();
  const store = createStore(listening(stage.opened.database, heard), stage.opened.box);
  const { queues } = store;
  const { conversationId } = CONTACT;
  const options = { holder: newHolder("worker"), messagesMax: 10, leaseMs: LEASE_MS };
  const claimOf = async (direction: Direction): Promise<Claim> => {
    const claim = await queues.claimQueue({ conversationId, direction }, options);
    if (claim === null) throw new Error(`the ${direction} queue is not due`);
    return claim;
  };
  await write(CONTACT.openId, "hello", store);
  const claim = await claimOf("inbound");
  await queues.next(claim, 1, 10);
  await queues.release(claim);
  await queues.releaseLost(options.holder, [claim]);
  const again = await claimOf("inbound");
  const messageId = head(again).message.id;
  await queues.settle(again, [head(again)], DONE, { keepForMs: null });
  await queues.settle(again, [head(again)], DONE, { keepForMs: null });

  await say(CONTACT.openId, "hi there", {}, store);
  const unnamed = await say(CONTACT.openId, "and", { dedupeKey: null }, store);
  await say(CONTACT.openId, "and", { dedupeKey: null }, store);
  await store.outbound.report(CONTACT, { status: "chatting" });
  await store.outbound.markAnswered({ conversationId, messageIds: [unnamed.messageId] });
  const reply = await claimOf("outbound");
  await queues.next(reply, 1, 10);
  await queues.begin(reply, [head(reply)], "async", LEASE_MS);
  await queues.settle(reply, [head(reply)], DONE, { keepForMs: null });
  await queues.settle(reply, [head(reply)], DONE, { keepForMs: null });
  const { claim: taken } = await queues.claimForCallback({ ...options, conversationId, messageId });
  if (taken === null) throw new Error("there is no reply to take");
  await queues.withdraw(taken, messageId);
  const last = await claimOf("outbound");
  await queues.release(last);
  await queues.releaseLost(options.holder, [last]);
  await queues.confirmAnswer(messageId);
  await queues.closeCallback({ conversationId, openUntil: new Date() });

  expect(heard.size).toBe(20);
  for (const text of heard) expect(await wholeReadsOf(text), text).toEqual([]);
  expect(await wholeReadsOf("SELECT FROM messages WHERE text = $1")).not.toEqual([]);
});

test("no plan is compiled, whatever the planner takes its cost for", async () => {
  const [row] = await stage.opened.database.query<{ compiles: boolean }>("SELECT pg_jit_available() AS compiles", []);
  expect(row?.compiles).toBe(false);
});

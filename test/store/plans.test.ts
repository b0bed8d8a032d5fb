import { expect, test } from "vitest";
import { newHolder } from "../../src/domain/ids.ts";
import type { Settlement } from "../../src/domain/outbox.ts";
import { Prisma, type PrismaClient } from "../../src/generated/prisma/client.ts";
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

/** The same client, which keeps the text of every statement. */
function listening(prisma: PrismaClient, heard: Set<string>): PrismaClient {
  return new Proxy(prisma, {
    get: (target, name: keyof PrismaClient) => {
      if (name !== "$queryRaw" && name !== "$executeRaw") return target[name];
      return (strings: TemplateStringsArray, ...values: unknown[]) => {
        heard.add(Prisma.sql(strings, ...values).text);
        return target[name](strings, ...values);
      };
    },
  });
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
  const { prisma } = stage.opened.database;
  const store = createStore({ ...stage.opened.database, prisma: listening(prisma, heard) }, stage.opened.box);
  const { outbox } = store;
  await write(CONTACT.openId, "hello", store);
  const lane = { conversationId: CONTACT.conversationId, direction: "inbound" } as const;
  const claim = await outbox.claimLane(lane, { holder: newHolder("worker"), entriesMax: 10, leaseMs: LEASE_MS });
  if (claim === null) throw new Error("the lane to the desk is not due");
  await outbox.settle(claim, head(claim), DONE, { keepForMs: null });
  await say(CONTACT.openId, "hi there", {}, store);
  const unnamed = await say(CONTACT.openId, "and", { dedupeKey: null }, store);
  await say(CONTACT.openId, "and", { dedupeKey: null }, store);
  await store.outbound.report(CONTACT, { status: "chatting" });
  await store.outbound.markAnswered({ conversationId: CONTACT.conversationId, messageIds: [unnamed.messageId] });
  const messageId = head(claim).message.id;
  const callback = { conversationId: CONTACT.conversationId, messageId, holder: newHolder("callback"), entriesMax: 10, leaseMs: LEASE_MS };
  const { claim: taken } = await outbox.claimForCallback(callback);
  if (taken === null) throw new Error("there is no reply to take");
  await outbox.begin(taken, taken.entries, "async", LEASE_MS);
  await outbox.closeCallback({ conversationId: CONTACT.conversationId, openUntil: new Date() });

  expect(heard.size).toBe(10);
  for (const text of heard) expect(await wholeReadsOf(text)).toEqual([]);
  expect(await wholeReadsOf("SELECT FROM messages WHERE text = $1")).not.toEqual([]);
});

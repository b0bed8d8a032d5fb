import { expect, test } from "vitest";
import { Prisma } from "../../../src/generated/prisma/client.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { claimDue } from "../../../src/store/queue/claim-queues.ts";
import { useFlowStage } from "../../flow/stage.ts";
import { newAccount, TESTER } from "../../support/store.ts";
import { crowdOf } from "../crowd.ts";

const stage = useFlowStage();
const { write } = crowdOf(stage);

const WAITING = 5_000;
const CLAIM = { direction: "inbound", holder: "worker-1", queuesMax: 64, messagesMax: 10, leaseMs: 30_000, roomOfEach: 64 } as const;

/** Queues of another account that are due longer than any other. */
async function letWait(accountId: string): Promise<void> {
  const { store, database } = stage.opened;
  await store.accounts.create(newAccount(accountId), TESTER);
  const id = Prisma.sql`'cv_' || lpad(n::text, 32, '0')`;
  await database.prisma.$executeRaw`
    INSERT INTO conversations (id, account_id, open_id, inbound_due_at)
    SELECT ${id}, ${accountId}, 'o' || n, now() - interval '1 hour' FROM generate_series(1, ${WAITING}::int) n`;
  await database.prisma.$executeRaw`ANALYZE`;
}

interface Plan {
  "Relation Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: Plan[];
}

/** Rows of conversations that a node and those below it have read. */
function queuesReadBy(plan: Plan): number {
  const own = plan["Relation Name"] === "conversations" ? plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0) : 0;
  return (plan.Plans ?? []).reduce((sum, child) => sum + queuesReadBy(child), own * plan["Actual Loops"]);
}

/** The claim as it is executed, explained. */
async function explain(claim: Parameters<ReturnType<typeof claimDue>>[0]): Promise<Plan> {
  const { database } = stage.opened;
  let plan: Plan | undefined;
  const explaining: Database = {
    ...database,
    query: async (text, values) => {
      const rows = await database.query<Record<string, { Plan: Plan }[]>>(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
      plan = rows[0]?.["QUERY PLAN"]?.[0]?.Plan;
      return [];
    },
  };
  await claimDue(explaining)(claim);
  if (plan === undefined) throw new Error("the server explained nothing");
  return plan;
}

test("what waits of an account without room is neither claimed nor read, nor does it stand before the queues of others", async () => {
  await letWait("slow");
  await write("oA", "hello");
  const rooms = [{ accountId: "slow", room: 0 }];
  expect(queuesReadBy(await explain({ ...CLAIM, holder: "nobody", leaseMs: 0, rooms }))).toBeLessThan(10);
  const claims = await claimDue(stage.opened.database)({ ...CLAIM, rooms });
  expect(claims.map(({ conversation }) => [conversation.accountId, conversation.openId])).toEqual([["shop", "oA"]]);
});

test("of an account with room as many are claimed and read as there is room for", async () => {
  await letWait("slow");
  await write("oA", "hello");
  const rooms = [{ accountId: "slow", room: 3 }];
  expect(queuesReadBy(await explain({ ...CLAIM, holder: "nobody", leaseMs: 0, rooms }))).toBeLessThan(20);
  const claims = await claimDue(stage.opened.database)({ ...CLAIM, rooms });
  expect(claims.map(({ conversation }) => conversation.accountId).sort()).toEqual(["shop", "slow", "slow", "slow"]);
});

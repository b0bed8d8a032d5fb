import { expect, test } from "vitest";
import { Prisma, type PrismaClient } from "../../../src/generated/prisma/client.ts";
import { claimDue } from "../../../src/store/queue/claim-due.ts";
import { useFlowStage } from "../../flow/stage.ts";
import { newAccount, TESTER } from "../../support/store.ts";
import { crowdOf } from "../crowd.ts";

const stage = useFlowStage();
const { write } = crowdOf(stage);

const WAITING = 5_000;
const CLAIM = { holder: "worker-1", lanesMax: 64, entriesMax: 10, leaseMs: 30_000, roomOfEach: 64 };

/** Lanes of another account that are due longer than any other. */
async function letWait(accountId: string): Promise<void> {
  const { store, database } = stage.opened;
  await store.accounts.create(newAccount(accountId), TESTER);
  const id = Prisma.sql`'cv_' || lpad(n::text, 32, '0')`;
  await database.prisma.$executeRaw`
    INSERT INTO conversations (id, account_id, open_id) SELECT ${id}, ${accountId}, 'o' || n FROM generate_series(1, ${WAITING}::int) n`;
  await database.prisma.$executeRaw`
    INSERT INTO outbox_lanes (conversation_id, account_id, direction, due_at, pending)
    SELECT ${id}, ${accountId}, 'inbound', now() - interval '1 hour', 0 FROM generate_series(1, ${WAITING}::int) n`;
  await database.prisma.$executeRaw`ANALYZE`;
}

interface Plan {
  "Relation Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: Plan[];
}

/** Rows of the lanes that a node and those below it have read. */
function lanesReadBy(plan: Plan): number {
  const own = plan["Relation Name"] === "outbox_lanes" ? plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0) : 0;
  return (plan.Plans ?? []).reduce((sum, child) => sum + lanesReadBy(child), own * plan["Actual Loops"]);
}

/** The claim as it is executed, explained. */
async function explain(claim: Parameters<ReturnType<typeof claimDue>>[0]): Promise<Plan> {
  const { prisma } = stage.opened.database;
  let plan: Plan | undefined;
  const explaining = {
    $queryRaw: async (strings: TemplateStringsArray, ...values: unknown[]) => {
      const { text, values: bound } = Prisma.sql(strings, ...values);
      const rows = await prisma.$queryRawUnsafe<Record<string, { Plan: Plan }[]>[]>(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, ...bound);
      plan = rows[0]?.["QUERY PLAN"]?.[0]?.Plan;
      return [];
    },
  } as unknown as PrismaClient;
  await claimDue(explaining)(claim);
  if (plan === undefined) throw new Error("the server explained nothing");
  return plan;
}

test("what waits of an account without room is neither claimed nor read, nor does it stand before the lanes of others", async () => {
  await letWait("slow");
  await write("oA", "hello");
  const rooms = [{ accountId: "slow", direction: "inbound" as const, room: 0 }];
  expect(lanesReadBy(await explain({ ...CLAIM, holder: "nobody", leaseMs: 0, rooms }))).toBeLessThan(10);
  const claims = await claimDue(stage.opened.database.prisma)({ ...CLAIM, rooms });
  expect(claims.map(({ conversation }) => [conversation.accountId, conversation.openId])).toEqual([["shop", "oA"]]);
});

test("of an account with room as many are claimed and read as there is room for", async () => {
  await letWait("slow");
  await write("oA", "hello");
  const rooms = [{ accountId: "slow", direction: "inbound" as const, room: 3 }];
  expect(lanesReadBy(await explain({ ...CLAIM, holder: "nobody", leaseMs: 0, rooms }))).toBeLessThan(20);
  const claims = await claimDue(stage.opened.database.prisma)({ ...CLAIM, rooms });
  expect(claims.map(({ conversation }) => conversation.accountId).sort()).toEqual(["shop", "slow", "slow", "slow"]);
});

import { completeReport } from "../domain/complete-report.ts";
import type { StatusReport } from "../domain/conversation.ts";
import type { OutboundStore } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { BATCH_OPTIONS } from "./database/batch-options.ts";
import { inBatches } from "./database/in-batches.ts";
import { toRowsParameter } from "./database/rows-parameter.ts";

interface PushedReport {
  conversationId: string;
  accountId: string;
  openId: string;
  report: StatusReport;
}

/** Reports that come while a statement runs are batched into the next one. */
export const report: (prisma: PrismaClient) => OutboundStore["report"] = (prisma) => {
  const apply = inBatches((reports: readonly PushedReport[]) => applyAll(prisma, reports), {
    ...BATCH_OPTIONS,
    keyOf: ({ conversationId }) => conversationId,
  });
  return (conversation, said) => apply({ ...conversation, report: said });
};

/**
 * A push counts from the moment it is written, by the clock of the database at the locked row: so `status_at` never goes back, and no
 * push is dropped because the clock of another process is ahead. Conversations are locked in the order of their ids.
 */
async function applyAll(prisma: PrismaClient, reports: readonly PushedReport[]): Promise<undefined[]> {
  const rows = reports.map((each) => ({
    conversation_id: each.conversationId,
    account_id: each.accountId,
    open_id: each.openId,
    report: completeReport(each.report),
  }));
  await prisma.$executeRaw`
    WITH given AS (
      SELECT * FROM json_to_recordset(${toRowsParameter(rows)}::json) AS t(conversation_id text, account_id text, open_id text, report jsonb)
    )
    INSERT INTO conversations AS c (id, account_id, open_id, status, turn, agent_name, notice, status_at)
    SELECT conversation_id, account_id, open_id, COALESCE(report ->> 'status', 'unknown'), (report ->> 'turn')::int, report ->> 'agentName',
           report ->> 'notice', now()
    FROM given ORDER BY conversation_id
    ON CONFLICT (id) DO UPDATE SET
      (status, turn, agent_name, notice) = (
        SELECT CASE WHEN report ? 'status' THEN excluded.status ELSE c.status END,
               CASE WHEN report ? 'turn' THEN excluded.turn ELSE c.turn END,
               CASE WHEN report ? 'agentName' THEN excluded.agent_name ELSE c.agent_name END,
               CASE WHEN report ? 'notice' THEN excluded.notice ELSE c.notice END
        FROM given WHERE conversation_id = c.id LIMIT 1),
      status_at = clock_timestamp(),
      updated_at = now()`;
  return reports.map(() => undefined);
}

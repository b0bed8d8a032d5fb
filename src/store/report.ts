import { completeReport } from "../domain/complete-report.ts";
import type { StatusReport } from "../domain/conversation.ts";
import type { OutboundStore } from "../domain/store.ts";
import { batchStatement } from "./database/batch-statement.ts";
import type { Database } from "./database/database.ts";
import { inStatements } from "./database/in-statements.ts";

interface PushedReport {
  conversationId: string;
  accountId: string;
  openId: string;
  said: StatusReport;
}

/**
 * A push counts from the moment it is written, by the clock of the database at the locked row: so `status_at` never goes back, and no
 * push is dropped because the clock of another process is ahead. Conversations are locked in the order of their ids.
 */
const applyAll = batchStatement<PushedReport>(
  {
    conversation_id: ["text", ({ conversationId }) => conversationId],
    account_id: ["text", ({ accountId }) => accountId],
    open_id: ["text", ({ openId }) => openId],
    report: ["jsonb", ({ said }) => completeReport(said)],
  },
  (given) => `
    WITH given AS (
      SELECT * FROM ${given} g
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
      updated_at = now(),
      active_at = CASE WHEN c.active_at < now() - interval '10 seconds' THEN now() ELSE c.active_at END`,
);

export function report(database: Database): OutboundStore["report"] {
  const apply = inStatements<PushedReport, { position: number }>(database, applyAll, ({ conversationId }) => conversationId);
  return async (conversation, said) => void (await apply({ ...conversation, said }));
}

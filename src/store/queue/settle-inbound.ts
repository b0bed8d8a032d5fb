import { completeReport } from "../../domain/complete-report.ts";
import { toReadableText } from "../../domain/content.ts";
import { batchStatement } from "../database/batch-statement.ts";
import { fence, LAST_CALLBACK, SOON } from "./claim-rows.ts";
import { ATTEMPT, INSERT_ATTEMPTS, SETTLE_COLUMNS, type SettleInput, TRIED } from "./settle-rows.ts";

/**
 * One statement for settles of different conversations. Each conversation is locked, in the order of ids; the fence compares holder, claim
 * number and cursor with the locked row, and where it fails nothing is changed. One update then moves the cursor, applies what the desk
 * said, and appends the notice to the outbound queue.
 *
 * `last > place` of the locked row says whether more waits. A subselect would see the statement's snapshot, and a message that was stored
 * meanwhile would wait for ever.
 *
 * @returns a row for each settle whose claim still holds
 */
export const settleInbound = batchStatement<SettleInput>(
  {
    ...SETTLE_COLUMNS,
    // By the id: by its place, a plan that is made for new tables reads all messages.
    message_id: ["text", ({ messages: [head] }) => head.message.id],
    asked_ms_ago: ["float8", ({ settlement: { report } }) => report && performance.now() - report.askedAtMs],
    report: ["jsonb", ({ settlement: { report } }) => report && completeReport(report.status)],
    is_forwarded: ["bool", ({ settlement }) => settlement.outcome.kind === "done"],
    notice_when: ["text", ({ settlement }) => settlement.notice?.when],
    notice_id: ["text", ({ settlement }) => settlement.notice?.messageId],
    notice_type: ["text", ({ settlement }) => settlement.notice?.content.type],
    notice_text: ["text", ({ settlement: { notice } }) => notice && toReadableText(notice.content)],
    notice_content: ["jsonb", ({ settlement }) => settlement.notice?.content],
  },
  (given) => `
    WITH claim AS (
      SELECT g.*, c.account_id, c.inbound_last > g.place AS has_more, c.outbound_last > c.outbound_done AS has_replies,
        c.outbound_last = c.outbound_done AS has_no_replies, now() - asked_ms_ago * interval '1 millisecond' AS asked_at,
        c.is_news, CASE g.notice_when
          WHEN 'outage' THEN c.outage_told_at IS NULL
          WHEN 'always' THEN c.is_news
          WHEN 'changes' THEN c.is_news AND (
            CASE WHEN g.report ? 'status' THEN g.report ->> 'status' ELSE c.status END,
            CASE WHEN g.report ? 'turn' THEN (g.report ->> 'turn')::int ELSE c.turn END,
            CASE WHEN g.report ? 'agentName' THEN g.report ->> 'agentName' ELSE c.agent_name END
          ) IS DISTINCT FROM (c.status, c.turn, c.agent_name)
          ELSE false END AS has_notice
      FROM (SELECT * FROM ${given} g ORDER BY conversation_id) g
      CROSS JOIN LATERAL (
        SELECT c.*,
          -- An answer is older than a push that came after the question. A moment that lies ahead is no reason to wait for it: it is of a
          -- server whose clock was ahead.
          g.asked_ms_ago IS NOT NULL AND (c.status_at IS NULL OR c.status_at <= now() - g.asked_ms_ago * interval '1 millisecond'
            OR c.status_at > clock_timestamp() + interval '1 millisecond') AS is_news
        FROM conversations c WHERE c.id = g.conversation_id LIMIT 1 FOR NO KEY UPDATE
      ) c
      WHERE ${fence("inbound")}
    ), conversation AS (
      UPDATE conversations c SET
        inbound_done = c.inbound_done + o.is_finished::int,
        inbound_failures = o.failures,
        inbound_holder = CASE WHEN o.is_finished AND o.has_more AND o.keep_for_ms IS NOT NULL THEN c.inbound_holder END,
        inbound_due_at = CASE
          WHEN o.again_after_ms IS NOT NULL THEN now() + o.again_after_ms * interval '1 millisecond'
          WHEN NOT o.has_more THEN NULL
          WHEN o.keep_for_ms IS NULL THEN now()
          -- A claim in memory has no lease.
          WHEN c.inbound_due_at IS NOT NULL THEN now() + o.keep_for_ms * interval '1 millisecond' END,
        open_callbacks = CASE WHEN o.has_replies OR o.has_notice THEN c.open_callbacks ELSE array_remove(c.open_callbacks, o.open_until) END,
        status = CASE WHEN o.is_news AND o.report ? 'status' THEN o.report ->> 'status' ELSE c.status END,
        turn = CASE WHEN o.is_news AND o.report ? 'turn' THEN (o.report ->> 'turn')::int ELSE c.turn END,
        agent_name = CASE WHEN o.is_news AND o.report ? 'agentName' THEN o.report ->> 'agentName' ELSE c.agent_name END,
        notice = CASE WHEN o.is_news AND o.report ? 'notice' THEN o.report ->> 'notice' ELSE c.notice END,
        status_at = CASE WHEN o.is_news THEN o.asked_at ELSE c.status_at END,
        outage_told_at = CASE
          WHEN o.is_forwarded THEN NULL
          WHEN o.notice_when = 'outage' THEN COALESCE(c.outage_told_at, now())
          ELSE c.outage_told_at END,
        -- A desk that says the same again changes nothing that a list shows.
        updated_at = CASE WHEN o.is_news AND NOT o.report <@
          jsonb_build_object('status', c.status, 'turn', c.turn, 'agentName', c.agent_name, 'notice', c.notice) THEN now() ELSE c.updated_at END,
        -- Also where the claim goes on: claims of dead holders are found among the conversations that were active lately.
        active_at = CASE WHEN c.active_at < now() - interval '10 seconds' THEN now() ELSE c.active_at END,
        outbound_last = c.outbound_last + o.has_notice::int,
        outbound_due_at = CASE WHEN o.has_notice AND c.outbound_last = c.outbound_done THEN GREATEST(now(), ${LAST_CALLBACK}) ELSE c.outbound_due_at END
      FROM claim o WHERE c.id = o.conversation_id
      RETURNING o.*, c.outbound_last AS notice_place, COALESCE(c.inbound_holder IS NULL AND c.inbound_due_at <= ${SOON}, false) AS is_due
    ), message AS (
      UPDATE messages m SET ${TRIED}
      FROM conversation o WHERE m.id = o.message_id
      RETURNING ${ATTEMPT}
    ), tried AS (${INSERT_ATTEMPTS}
    ), notice AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, place, type, text, content, sent_at)
      SELECT notice_id, account_id, conversation_id, 'outbound', 'notice', notice_place, notice_type, notice_text, notice_content, now()
      FROM conversation WHERE has_notice
    )
    SELECT position, has_notice AS notice_enqueued, has_more, is_due,
      open_until IS NOT NULL AND NOT has_replies AND NOT has_notice AS is_callback_closed
    FROM conversation`,
);

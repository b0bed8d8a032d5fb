import { completeReport } from "../../domain/complete-report.ts";
import { toReadableText } from "../../domain/content.ts";
import type { Claim, ClaimedEntry, Settlement } from "../../domain/outbox.ts";
import { withSaid } from "../../domain/outcome.ts";
import type { Settled } from "../../domain/store.ts";
import type { Prisma } from "../../generated/prisma/client.ts";
import { toRowsParameter } from "../database/rows-parameter.ts";
import { SOON } from "./claim.ts";

export interface Settle {
  claim: Claim;
  entry: ClaimedEntry;
  settlement: Settlement;
  keepForMs: number | null;
}

/** `noticeHeld`: the notice may stand behind held replies. */
export type Written = Settled & { noticeHeld: boolean };

interface SettledRow {
  position: number;
  notice_enqueued: boolean;
  notice_held: boolean;
  more_due: boolean;
  next_number: bigint;
}

/**
 * One statement for settles of different conversations. Each conversation is locked first, as everywhere, in the order of ids; the
 * update of the lane is the fence: when holder or claim number are another's, it finds no row, and everything that hangs on it
 * changes nothing. `pending` is read from the locked row, so an entry that another process added a moment ago keeps the lane from
 * being parked. The claim number goes up with each settle: a repetition of one, whose answer was lost, finds no row either, however
 * long the first was on its way.
 *
 * A claim that has passed on is left out before anything is locked. That also tells the planner that few are left, so that whatever
 * it believes of the tables, and however long it keeps the plan, all the rest is found by index: as in `record-inbound.ts`.
 *
 * @returns in the order of the settles; null where the claim is another's by now, or the settle is repeated
 */
export async function writeSettles(prisma: Prisma.TransactionClient, settles: readonly Settle[]): Promise<(Written | null)[]> {
  const rows = await prisma.$queryRaw<SettledRow[]>`
    WITH given AS (
      SELECT * FROM json_to_recordset(${toRowsParameter(settles.map(toRow))}::json) AS t(
        position int, conversation_id text, direction text, holder text, claim_number bigint, entry_id bigint, message_id text,
        keep_for_ms int, open_until timestamptz(3), seen_inbound_at timestamptz(3),
        is_finished boolean, is_held boolean, again_after_ms bigint, state text, progress int, failures int,
        outcome text, way text, started_at timestamptz(3), duration_ms int, code text, detail text, error text,
        has_left boolean, is_sent boolean, is_forwarded boolean, ended text, asked_ms_ago float8, report jsonb,
        notice_when text, notice_id text, notice_type text, notice_text text, notice_content jsonb)
    ), conversation AS (
      SELECT given.*, c.account_id, c.status, c.turn, c.agent_name, c.outage_told_at,
        now() - asked_ms_ago * interval '1 millisecond' AS asked_at,
        -- An answer is older than a push that came after the question. A moment that lies ahead is no reason to wait for it: it is of a
        -- process that wrote its own time, or of a server whose clock was ahead.
        asked_ms_ago IS NOT NULL AND (c.status_at IS NULL OR c.status_at <= now() - asked_ms_ago * interval '1 millisecond'
          OR c.status_at > clock_timestamp() + interval '1 millisecond') AS is_news,
        c.last_inbound_at IS DISTINCT FROM seen_inbound_at AS has_written
      FROM (SELECT * FROM given ORDER BY conversation_id) given
      CROSS JOIN LATERAL (
        SELECT l.holder, l.claim_number, (
          SELECT e.id FROM outbox_entries e
          WHERE e.conversation_id = given.conversation_id AND e.direction = given.direction AND e.id = given.entry_id
        ) AS entry_id
        FROM outbox_lanes l WHERE l.conversation_id = given.conversation_id AND l.direction = given.direction LIMIT 1
      ) seen
      CROSS JOIN LATERAL (SELECT * FROM conversations WHERE id = given.conversation_id LIMIT 1 FOR NO KEY UPDATE) c
      WHERE seen.holder = given.holder AND seen.claim_number = given.claim_number AND seen.entry_id = given.entry_id
    ), lane AS (
      UPDATE outbox_lanes l SET
        claim_number = l.claim_number + 1,
        pending = l.pending - o.is_finished::int,
        callbacks_open_until = array_remove(l.callbacks_open_until, o.open_until),
        holder = CASE WHEN o.keep_for_ms IS NOT NULL AND l.pending > o.is_finished::int THEN l.holder END,
        due_at = CASE
          WHEN l.pending = o.is_finished::int THEN NULL
          -- Held for the contact's next message, unless that came since the lane was claimed.
          WHEN o.is_held AND NOT o.has_written THEN NULL
          WHEN o.again_after_ms IS NOT NULL THEN now() + o.again_after_ms * interval '1 millisecond'
          WHEN o.keep_for_ms IS NOT NULL THEN now() + o.keep_for_ms * interval '1 millisecond'
          ELSE GREATEST(now(), (SELECT max(u) FROM unnest(array_remove(l.callbacks_open_until, o.open_until)) u)) END
      FROM conversation o
      WHERE l.conversation_id = o.conversation_id AND l.direction = o.direction AND l.holder = o.holder AND l.claim_number = o.claim_number
        -- Counted, so that all of them are locked before any lane is.
        AND (SELECT count(*) FROM conversation) > 0
      RETURNING o.*, l.due_at, l.claim_number AS next_number
    ), entry_gone AS (
      DELETE FROM outbox_entries e USING lane
      WHERE e.conversation_id = lane.conversation_id AND e.direction = lane.direction AND e.id = lane.entry_id AND lane.is_finished
    ), entry_kept AS (
      UPDATE outbox_entries e SET failures = lane.failures, progress = lane.progress, begun_at = NULL, begun_way = NULL,
        enqueued_at = CASE WHEN lane.is_held THEN now() ELSE e.enqueued_at END
      FROM lane WHERE e.conversation_id = lane.conversation_id AND e.direction = lane.direction AND e.id = lane.entry_id AND NOT lane.is_finished
    ), message AS (
      UPDATE messages m SET
        state = lane.state,
        way = CASE WHEN lane.has_left THEN COALESCE(m.way, lane.way) ELSE m.way END,
        attempts = m.attempts + 1,
        error = lane.error, error_code = lane.code,
        settled_at = CASE WHEN lane.is_finished THEN now() END
      FROM lane WHERE m.id = lane.message_id
      RETURNING m.id, m.attempts AS number, lane.way, lane.started_at, lane.duration_ms, lane.outcome, lane.code, lane.detail
    ), tried AS (
      INSERT INTO attempts (message_id, number, way, started_at, duration_ms, outcome, code, detail) SELECT * FROM message
    ), held_behind AS (
      -- What stands behind a held message is held for the same reason.
      UPDATE messages m SET state = 'held', error = lane.error, error_code = lane.code
      FROM lane JOIN outbox_entries e ON e.conversation_id = lane.conversation_id AND e.direction = lane.direction
      WHERE lane.is_held AND e.id <> lane.entry_id AND m.id = e.message_id
    ), said AS (
      UPDATE conversations c SET
        status = CASE WHEN o.is_news AND o.report ? 'status' THEN o.report ->> 'status' ELSE c.status END,
        turn = CASE WHEN o.is_news AND o.report ? 'turn' THEN (o.report ->> 'turn')::int ELSE c.turn END,
        agent_name = CASE WHEN o.is_news AND o.report ? 'agentName' THEN o.report ->> 'agentName' ELSE c.agent_name END,
        notice = CASE WHEN o.is_news AND o.report ? 'notice' THEN o.report ->> 'notice' ELSE c.notice END,
        status_at = CASE WHEN o.is_news THEN o.asked_at ELSE c.status_at END,
        last_reply_at = CASE WHEN o.is_sent THEN now() ELSE c.last_reply_at END,
        -- The platform's word goes above our own count, unless the contact has acted since.
        replies_remaining = CASE
          WHEN o.is_sent AND o.way = 'async' THEN GREATEST(c.replies_remaining - 1, 0)
          WHEN o.ended = 'quota' AND NOT o.has_written THEN 0
          ELSE c.replies_remaining END,
        window_closes_at = CASE
          WHEN o.ended = 'window' AND NOT o.has_written THEN LEAST(c.window_closes_at, now())
          ELSE c.window_closes_at END,
        outage_told_at = CASE
          WHEN o.is_forwarded THEN NULL
          WHEN o.notice_when = 'outage' THEN COALESCE(c.outage_told_at, now())
          ELSE c.outage_told_at END,
        -- A desk that says the same again changes nothing that anybody sorts or looks for: no index is written.
        updated_at = CASE
          WHEN o.is_sent OR (o.is_news AND NOT o.report <@
            jsonb_build_object('status', c.status, 'turn', c.turn, 'agentName', c.agent_name, 'notice', c.notice)) THEN now()
          ELSE c.updated_at END
      FROM lane o
      WHERE c.id = o.conversation_id AND
        (o.is_news OR o.is_sent OR (o.is_forwarded AND o.outage_told_at IS NOT NULL) OR o.ended IS NOT NULL OR o.notice_when = 'outage')
      RETURNING o.*, (c.status, c.turn, c.agent_name) IS DISTINCT FROM (o.status, o.turn, o.agent_name) AS is_changed
    ), notice AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, type, text, content, state, sent_at)
      SELECT notice_id, account_id, conversation_id, 'outbound', 'notice', notice_type, notice_text, notice_content, 'queued', now()
      FROM said
      WHERE CASE notice_when
        WHEN 'outage' THEN outage_told_at IS NULL
        WHEN 'always' THEN is_news
        WHEN 'changes' THEN is_news AND is_changed
        ELSE false END
      RETURNING id, conversation_id, account_id
    ), notice_lane AS (
      INSERT INTO outbox_lanes AS l (conversation_id, account_id, direction, due_at, pending)
      SELECT conversation_id, account_id, 'outbound', now(), 1 FROM notice
      ON CONFLICT (conversation_id, direction) DO UPDATE SET
        pending = l.pending + 1,
        due_at = CASE WHEN l.due_at IS NULL AND l.pending > 0 THEN NULL
                      ELSE COALESCE(l.due_at, GREATEST(now(), (SELECT max(u) FROM unnest(l.callbacks_open_until) u))) END
      RETURNING conversation_id, due_at
    ), notice_entry AS (
      INSERT INTO outbox_entries (conversation_id, direction, message_id) SELECT conversation_id, 'outbound', id FROM notice
    )
    SELECT position, conversation_id IN (SELECT conversation_id FROM notice_lane) AS notice_enqueued,
           conversation_id IN (SELECT conversation_id FROM notice_lane WHERE due_at IS NULL) AS notice_held,
           COALESCE(due_at <= ${SOON}, false) AS more_due, next_number
    FROM lane`;
  const written = new Map(rows.map((row) => [row.position, toWritten(row)]));
  return settles.map((_, position) => written.get(position) ?? null);
}

function toWritten({ notice_enqueued, notice_held, more_due, next_number }: SettledRow): Written {
  return { noticeEnqueued: notice_enqueued, noticeHeld: notice_held, moreDue: more_due, claimNumber: String(next_number) };
}

/** What the statement is given, worked out before it, so that the SQL only moves values. What is undefined is NULL there. */
function toRow({ claim, entry, settlement, keepForMs }: Settle, position: number): object {
  const { conversationId, direction, holder, claimNumber, conversation } = claim;
  const { outcome, next, way, callbackOpenUntil, attempt, report, notice } = settlement;
  const isDone = outcome.kind === "done";
  const detail = outcome.kind === "retry" ? withSaid(outcome.detail, outcome.said) : outcome.detail;
  return {
    position,
    conversation_id: conversationId,
    direction,
    holder,
    claim_number: claimNumber,
    entry_id: entry.id,
    message_id: entry.message.id,
    keep_for_ms: keepForMs,
    open_until: callbackOpenUntil,
    seen_inbound_at: conversation.lastInboundAt,
    is_finished: next.kind === "finished",
    is_held: next.kind === "held",
    again_after_ms: next.kind === "again" ? next.afterMs : undefined,
    state: toState(entry, next),
    progress: next.kind === "progressed" ? next.progress : entry.progress,
    // Being held ends a series of failures: what is freed begins another.
    failures: next.kind === "again" ? entry.failures + 1 : 0,
    outcome: outcome.kind,
    way,
    started_at: attempt.startedAt,
    duration_ms: attempt.durationMs,
    code: isDone ? undefined : outcome.code,
    detail,
    error: isDone ? undefined : detail,
    has_left: isDone || outcome.kind === "uncertain",
    is_sent: isDone && direction === "outbound",
    is_forwarded: isDone && direction === "inbound",
    ended: outcome.kind === "hold" ? outcome.ended : undefined,
    asked_ms_ago: report && performance.now() - report.askedAtMs,
    report: report && completeReport(report.status),
    notice_when: notice?.when,
    notice_id: notice?.messageId,
    notice_type: notice?.content.type,
    notice_text: notice && toReadableText(notice.content),
    notice_content: notice?.content,
  };
}

function toState({ message }: ClaimedEntry, next: Settlement["next"]): string {
  switch (next.kind) {
    case "finished":
      return next.state;
    case "progressed":
      return message.state;
    case "again":
      return "retrying";
    case "held":
      return "held";
  }
}

import { toReadableText } from "../domain/content.ts";
import type { Claim, ClaimedEntry, Settlement } from "../domain/outbox.ts";
import type { Allowance } from "../domain/outcome.ts";
import type { OutboxStore, Settled } from "../domain/store.ts";
import type { Prisma, PrismaClient } from "../generated/prisma/client.ts";
import { SOON } from "./claim.ts";
import { findSettled } from "./find-settled.ts";
import { holdLatecomers } from "./hold-latecomers.ts";

/** Columns that a settlement sets, worked out before the statement so that the SQL only moves values. */
interface Values {
  isFinished: boolean;
  isHeld: boolean;
  state: string;
  progress: number;
  failures: number;
  afterMs: number;
  code: string | null;
  error: string | null;
  /** Bytes went out this way, or may have. */
  hasLeft: boolean;
  sentAsync: boolean;
  sent: boolean;
  /** The desk has taken it. */
  forwarded: boolean;
  /** What the platform says is over. */
  ended: Allowance | null;
}

export const settle: (prisma: PrismaClient) => OutboxStore["settle"] =
  (prisma) =>
  async (claim, entry, settlement, { keepForMs }) => {
    const written =
      (await settleOnce(prisma, claim, entry, settlement, keepForMs)) ?? (await findSettled(prisma, claim, entry, settlement, keepForMs));
    if (written === null) return null;
    const { noticeHeld, ...settled } = written;
    if (noticeHeld || settlement.next.kind === "held") await holdLatecomers(prisma, claim);
    return settled;
  };

function toValues({ direction }: Claim, entry: ClaimedEntry, { outcome, next, way }: Settlement): Values {
  const sent = direction === "outbound" && outcome.kind === "done";
  return {
    isFinished: next.kind === "finished",
    isHeld: next.kind === "held",
    state: next.kind === "finished" ? next.state : next.kind === "again" ? "retrying" : next.kind === "held" ? "held" : entry.message.state,
    progress: next.kind === "progressed" ? next.progress : entry.progress,
    // Being held ends a series of failures: what is freed begins another.
    failures: next.kind === "again" ? entry.failures + 1 : 0,
    afterMs: next.kind === "again" ? next.afterMs : 0,
    code: "code" in outcome ? outcome.code : null,
    error: outcome.kind === "done" ? null : outcome.detail,
    hasLeft: outcome.kind === "done" || outcome.kind === "uncertain",
    sent,
    forwarded: direction === "inbound" && outcome.kind === "done",
    sentAsync: sent && way === "async",
    ended: outcome.kind === "hold" ? (outcome.ended ?? null) : null,
  };
}

/** `noticeHeld`: the notice may stand behind held replies. */
export type Written = Settled & { noticeHeld: boolean };

type SettledRow = { notice_enqueued: boolean; notice_held: boolean; more_due: boolean; claim_number: bigint };

/**
 * One statement. The conversation is locked first, as everywhere; the update of the lane is the fence: when holder or claim
 * number are another's, it finds no row and everything that hangs on it changes nothing. `pending` is read from the locked row,
 * so an entry that another process added a moment ago keeps the lane from being parked. The claim number goes up with each settle:
 * a repetition of one, whose answer was lost, finds no row either, however long the first was on its way.
 */
export async function settleOnce(
  prisma: Prisma.TransactionClient,
  claim: Claim,
  entry: ClaimedEntry,
  settlement: Settlement,
  keepForMs: number | null,
): Promise<Written | null> {
  const { outcome, next, way, callbackOpenUntil, attempt, report, notice } = settlement;
  const { conversationId, direction, holder, claimNumber } = claim;
  const values = toValues(claim, entry, settlement);
  const fields = JSON.stringify(report?.status ?? {});
  const [row] = await prisma.$queryRaw<SettledRow[]>`
    WITH conversation AS (
      SELECT *, ${report !== undefined} AND (status_at IS NULL OR status_at <= ${report?.askedAt ?? null}::timestamptz(3)) AS is_news,
        last_inbound_at IS DISTINCT FROM ${claim.conversation.lastInboundAt}::timestamptz(3) AS has_written
      FROM conversations WHERE id = ${conversationId} FOR NO KEY UPDATE
    ), lane AS (
      UPDATE outbox_lanes l SET
        claim_number = l.claim_number + 1,
        pending = l.pending - ${values.isFinished}::boolean::int,
        callbacks_open_until = array_remove(l.callbacks_open_until, ${callbackOpenUntil ?? null}::timestamptz(3)),
        holder = CASE WHEN ${keepForMs !== null} AND l.pending - ${values.isFinished}::boolean::int > 0 THEN l.holder END,
        due_at = CASE
          WHEN l.pending - ${values.isFinished}::boolean::int = 0 THEN NULL
          -- Held for the contact's next message, unless that came since the lane was claimed.
          WHEN ${values.isHeld} AND NOT conversation.has_written THEN NULL
          WHEN ${next.kind === "again"} THEN now() + ${values.afterMs}::bigint * interval '1 millisecond'
          WHEN ${keepForMs !== null} THEN now() + ${keepForMs ?? 0}::int * interval '1 millisecond'
          ELSE GREATEST(now(), (SELECT max(u) FROM unnest(array_remove(l.callbacks_open_until, ${callbackOpenUntil ?? null}::timestamptz(3))) u))
        END
      FROM conversation
      WHERE l.conversation_id = conversation.id AND l.direction = ${direction} AND l.holder = ${holder} AND l.claim_number = ${claimNumber}::bigint
        AND EXISTS (SELECT FROM outbox_entries WHERE id = ${entry.id}::bigint)
      RETURNING l.conversation_id, l.due_at, l.claim_number
    ), entry_gone AS (
      DELETE FROM outbox_entries e USING lane WHERE e.id = ${entry.id}::bigint AND ${values.isFinished}
    ), entry_kept AS (
      UPDATE outbox_entries e SET failures = ${values.failures}::int, progress = ${values.progress}::int, begun_at = NULL, begun_way = NULL,
        enqueued_at = CASE WHEN ${values.isHeld} THEN now() ELSE e.enqueued_at END
      FROM lane WHERE e.id = ${entry.id}::bigint AND NOT ${values.isFinished}
    ), concerned AS (
      -- What stands behind a held message is held for the same reason. Joined by its id: a plan that is kept for any values must not
      -- read all messages for the sake of those that are held.
      SELECT ${entry.message.id}::text AS id
      UNION
      SELECT e.message_id FROM outbox_entries e
      WHERE ${values.isHeld} AND e.conversation_id = ${conversationId} AND e.direction = ${direction}
    ), message AS (
      UPDATE messages m SET
        state = CASE WHEN m.id = ${entry.message.id} THEN ${values.state} ELSE 'held' END,
        way = CASE WHEN m.id = ${entry.message.id} AND ${values.hasLeft} THEN COALESCE(m.way, ${way}) ELSE m.way END,
        attempts = m.attempts + (m.id = ${entry.message.id})::int,
        error = ${values.error}, error_code = ${values.code},
        settled_at = CASE WHEN ${values.isFinished} THEN now() END
      FROM lane, concerned
      WHERE m.id = concerned.id
      RETURNING m.id, m.attempts
    ), tried AS (
      INSERT INTO attempts (message_id, number, way, started_at, duration_ms, outcome, code, detail)
      SELECT message.id, message.attempts, ${way}, ${attempt.startedAt}::timestamptz(3), ${attempt.durationMs}::int, ${outcome.kind}, ${values.code}, ${outcome.detail ?? null}
      FROM message WHERE message.id = ${entry.message.id}
    ), said AS (
      UPDATE conversations c SET
        status = CASE WHEN o.is_news AND r ? 'status' THEN r ->> 'status' ELSE c.status END,
        turn = CASE WHEN o.is_news AND r ? 'turn' THEN (r ->> 'turn')::int ELSE c.turn END,
        agent_name = CASE WHEN o.is_news AND r ? 'agentName' THEN r ->> 'agentName' ELSE c.agent_name END,
        notice = CASE WHEN o.is_news AND r ? 'notice' THEN r ->> 'notice' ELSE c.notice END,
        status_at = CASE WHEN o.is_news THEN ${report?.askedAt ?? null}::timestamptz(3) ELSE c.status_at END,
        last_reply_at = CASE WHEN ${values.sent} THEN now() ELSE c.last_reply_at END,
        -- The platform's word goes above our own count, unless the contact has acted since.
        replies_remaining = CASE
          WHEN ${values.sentAsync} THEN GREATEST(c.replies_remaining - 1, 0)
          WHEN ${values.ended === "quota"} AND NOT o.has_written THEN 0
          ELSE c.replies_remaining END,
        window_closes_at = CASE
          WHEN ${values.ended === "window"} AND NOT o.has_written THEN LEAST(c.window_closes_at, now())
          ELSE c.window_closes_at END,
        outage_told_at = CASE
          WHEN ${values.forwarded} THEN NULL
          WHEN ${notice?.when === "outage"} THEN COALESCE(c.outage_told_at, now())
          ELSE c.outage_told_at END,
        updated_at = CASE WHEN ${values.sent} OR o.is_news THEN now() ELSE c.updated_at END
      FROM conversation o, lane, (SELECT ${fields}::jsonb AS r) report
      WHERE c.id = o.id
      RETURNING o.is_news, (c.status, c.turn, c.agent_name) IS DISTINCT FROM (o.status, o.turn, o.agent_name) AS is_changed
    ), notice AS (
      INSERT INTO messages (id, account_id, conversation_id, direction, origin, type, text, content, state, sent_at)
      SELECT ${notice?.messageId ?? null}, o.account_id, o.id, 'outbound', 'notice', ${notice?.content.type ?? null},
             ${notice === undefined ? null : toReadableText(notice.content)}, ${JSON.stringify(notice?.content ?? null)}::jsonb, 'queued', now()
      FROM said, conversation o
      WHERE CASE ${notice?.when ?? null}
        WHEN 'outage' THEN o.outage_told_at IS NULL
        WHEN 'always' THEN said.is_news
        WHEN 'changes' THEN said.is_news AND said.is_changed
        ELSE false END
      RETURNING id
    ), notice_lane AS (
      INSERT INTO outbox_lanes AS l (conversation_id, direction, due_at, pending)
      SELECT ${conversationId}, 'outbound', now(), 1 FROM notice
      ON CONFLICT (conversation_id, direction) DO UPDATE SET
        pending = l.pending + 1,
        due_at = CASE WHEN l.due_at IS NULL AND l.pending > 0 THEN NULL
                      ELSE COALESCE(l.due_at, GREATEST(now(), (SELECT max(u) FROM unnest(l.callbacks_open_until) u))) END
      RETURNING conversation_id, due_at
    ), notice_entry AS (
      INSERT INTO outbox_entries (conversation_id, direction, message_id)
      SELECT notice_lane.conversation_id, 'outbound', notice.id FROM notice, notice_lane
    )
    SELECT EXISTS (SELECT FROM notice) AS notice_enqueued, EXISTS (SELECT FROM notice_lane WHERE due_at IS NULL) AS notice_held,
           COALESCE(lane.due_at <= ${SOON}, false) AS more_due, lane.claim_number
    FROM lane`;
  if (row === undefined) return null;
  const { notice_enqueued: noticeEnqueued, notice_held: noticeHeld, more_due: moreDue, claim_number } = row;
  return { noticeEnqueued, noticeHeld, moreDue, claimNumber: String(claim_number) };
}

export type { Settled };

import { batchStatement } from "../database/batch-statement.ts";
import { fence, locked, SOON } from "./claim-rows.ts";
import { ATTEMPT, INSERT_ATTEMPTS, SETTLE_COLUMNS, type SettleInput, TRIED } from "./settle-rows.ts";

const LEFT_CALLBACKS = "array_remove(c.open_callbacks, o.open_until)";

/**
 * As `settle-inbound.ts`. Replies that left with one response move the cursor past all of them at once, so that a crash leaves no doubt
 * about a part of what was seen as one.
 */
export const settleOutbound = batchStatement<SettleInput>(
  {
    ...SETTLE_COLUMNS,
    count: ["int4", ({ messages }) => messages.length],
    progress: ["int4", ({ messages: [head], settlement: { next } }) => (next.kind === "progressed" ? next.progress : head.progress)],
    is_progressed: ["bool", ({ settlement: { next } }) => next.kind === "progressed"],
    is_held: ["bool", ({ settlement: { next } }) => next.kind === "held"],
    is_sent: ["bool", ({ settlement: { outcome } }) => outcome.kind === "done"],
    ended: ["text", ({ settlement: { outcome } }) => (outcome.kind === "hold" ? outcome.ended : undefined)],
    seen_inbound_at: ["timestamptz", ({ claim }) => claim.conversation.lastInboundAt],
  },
  (given) => `
    WITH claim AS (
      SELECT g.*, g.place + g.count - 1 AS to_place, c.outbound_last > g.place + g.count - 1 AS has_more,
        CASE WHEN g.is_finished THEN GREATEST(c.outbound_begun - g.count, 0) ELSE 0 END AS still_begun,
        c.last_inbound_at IS DISTINCT FROM g.seen_inbound_at AS has_written
      FROM ${locked(given)}
      WHERE ${fence("outbound")} AND (NOT g.is_progressed OR c.outbound_progress < g.progress)
    ), conversation AS (
      UPDATE conversations c SET
        outbound_done = CASE WHEN o.is_finished THEN o.to_place ELSE c.outbound_done END,
        outbound_failures = o.failures,
        outbound_progress = CASE WHEN o.is_finished THEN 0 ELSE o.progress END,
        -- Of replies that were begun together the first may be given up alone: the others stay begun, so that none is sent again.
        outbound_begun = o.still_begun,
        outbound_begun_at = CASE WHEN o.still_begun > 0 THEN c.outbound_begun_at END,
        outbound_begun_way = CASE WHEN o.still_begun > 0 THEN c.outbound_begun_way END,
        outbound_holder = CASE WHEN o.keep_for_ms IS NOT NULL AND (o.has_more OR NOT o.is_finished) THEN c.outbound_holder END,
        outbound_due_at = CASE
          WHEN o.is_finished AND NOT o.has_more THEN NULL
          -- Held for the contact's next message, unless that came since the queue was claimed.
          WHEN o.is_held AND NOT o.has_written THEN NULL
          WHEN o.again_after_ms IS NOT NULL THEN now() + o.again_after_ms * interval '1 millisecond'
          WHEN o.keep_for_ms IS NULL THEN GREATEST(now(), (SELECT max(u) FROM unnest(${LEFT_CALLBACKS}) u))
          -- A claim in memory has no lease.
          WHEN c.outbound_due_at IS NOT NULL THEN now() + o.keep_for_ms * interval '1 millisecond' END,
        -- Messages behind a held one are held for the same reason; freed ones count as held until they have left or are retried.
        outbound_held_code = CASE
          WHEN o.is_held THEN o.code
          WHEN o.again_after_ms IS NULL AND (o.has_more OR NOT o.is_finished) THEN c.outbound_held_code END,
        outbound_held = CASE
          WHEN o.is_held THEN o.error
          WHEN o.again_after_ms IS NULL AND (o.has_more OR NOT o.is_finished) THEN c.outbound_held END,
        outbound_freed_at = CASE WHEN o.is_held AND o.has_written THEN now() ELSE c.outbound_freed_at END,
        open_callbacks = ${LEFT_CALLBACKS},
        last_reply_at = CASE WHEN o.is_sent THEN now() ELSE c.last_reply_at END,
        -- The platform's word goes above our own count, unless the contact has acted since.
        replies_remaining = CASE
          WHEN o.is_sent AND o.way = 'async' THEN GREATEST(c.replies_remaining - 1, 0)
          WHEN o.ended = 'quota' AND NOT o.has_written THEN 0
          ELSE c.replies_remaining END,
        window_closes_at = CASE
          WHEN o.ended = 'window' AND NOT o.has_written THEN LEAST(c.window_closes_at, now()) ELSE c.window_closes_at END,
        updated_at = CASE WHEN o.is_sent THEN now() ELSE c.updated_at END,
        active_at = CASE WHEN c.active_at < now() - interval '10 seconds' THEN now() ELSE c.active_at END
      FROM claim o WHERE c.id = o.conversation_id
      RETURNING o.*, COALESCE(c.outbound_holder IS NULL AND c.outbound_due_at <= ${SOON}, false) AS is_due
    ), message AS (
      UPDATE messages m SET ${TRIED}, way = CASE WHEN o.has_left THEN COALESCE(m.way, o.way) ELSE m.way END
      FROM conversation o WHERE m.conversation_id = o.conversation_id AND m.direction = 'outbound' AND m.place BETWEEN o.place AND o.to_place
      RETURNING ${ATTEMPT}
    ), tried AS (${INSERT_ATTEMPTS}
    )
    SELECT position, false AS notice_enqueued, has_more, is_due, open_until IS NOT NULL AS is_callback_closed FROM conversation`,
);

import { withSaid } from "../../domain/outcome.ts";
import type { Claim, QueuedMessage, Settlement } from "../../domain/queue.ts";
import type { Settled } from "../../domain/store.ts";
import type { Columns } from "../database/batch-statement.ts";
import { CLAIM_COLUMNS } from "./claim-rows.ts";

export interface SettleInput {
  claim: Claim;
  /** The head, and what left with it. */
  messages: readonly [QueuedMessage, ...QueuedMessage[]];
  settlement: Settlement;
  keepForMs: number | null;
}

export interface SettledRow {
  position: number;
  notice_enqueued: boolean;
  has_more: boolean;
  is_due: boolean;
  is_callback_closed: boolean;
}

const isDone = ({ settlement: { outcome } }: SettleInput) => outcome.kind === "done";

const toCode = ({ settlement: { outcome } }: SettleInput) => (outcome.kind === "done" ? undefined : outcome.code);

const toDetail = ({ settlement: { outcome } }: SettleInput) =>
  outcome.kind === "retry" ? withSaid(outcome.detail, outcome.said) : outcome.detail;

/** The columns of both directions, computed here so that the SQL only moves values. */
export const SETTLE_COLUMNS = {
  ...CLAIM_COLUMNS,
  place: ["int8", ({ messages: [head] }) => head.place],
  keep_for_ms: ["int4", ({ keepForMs }) => keepForMs],
  open_until: ["timestamptz", ({ settlement }) => settlement.callbackOpenUntil],
  is_finished: ["bool", ({ settlement: { next } }) => next.kind === "finished"],
  again_after_ms: ["int8", ({ settlement: { next } }) => (next.kind === "again" ? next.afterMs : undefined)],
  // Being held ends a series of failures: what is freed begins another.
  failures: ["int4", ({ messages: [head], settlement: { next } }) => (next.kind === "again" ? head.failures + 1 : 0)],
  state: ["text", ({ settlement: { next } }) => (next.kind === "finished" ? next.state : undefined)],
  outcome: ["text", ({ settlement }) => settlement.outcome.kind],
  way: ["text", ({ settlement }) => settlement.way],
  has_left: ["bool", (input) => isDone(input) || input.settlement.outcome.kind === "uncertain"],
  // Such a try needs no row of its own: the message says it all.
  is_plain: ["bool", (input) => isDone(input) && input.settlement.next.kind === "finished" && toDetail(input) === undefined],
  started_at: ["timestamptz", ({ settlement }) => settlement.attempt.startedAt],
  duration_ms: ["int4", ({ settlement }) => settlement.attempt.durationMs],
  code: ["text", toCode],
  detail: ["text", toDetail],
  error: ["text", (input) => (isDone(input) ? undefined : toDetail(input))],
} as const satisfies Columns<SettleInput>;

/** The rows of attempts and the facts of the message that both directions write. `o`: the settle. */
export const TRIED = `
  attempts = m.attempts + 1, error = o.error, error_code = o.code, tried_at = o.started_at, tried_ms = o.duration_ms,
  state = o.state, settled_at = CASE WHEN o.is_finished THEN now() END`;
export const ATTEMPT = "m.id, m.attempts AS number, o.way, o.started_at, o.duration_ms, o.outcome, o.code, o.detail, o.is_plain";
export const INSERT_ATTEMPTS = `
  INSERT INTO attempts (message_id, number, way, started_at, duration_ms, outcome, code, detail)
  SELECT id, number, way, started_at, duration_ms, outcome, code, detail FROM message WHERE NOT is_plain`;

export function toSettled(row: Omit<SettledRow, "position">): Settled {
  return {
    noticeEnqueued: row.notice_enqueued,
    hasMore: row.has_more,
    isDue: row.is_due,
    isCallbackClosed: row.is_callback_closed,
  };
}

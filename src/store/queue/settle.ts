import type { QueuedMessage } from "../../domain/queue.ts";
import type { Settle, Settled } from "../../domain/store.ts";
import type { Database } from "../database/database.ts";
import { inStatements } from "../database/in-statements.ts";
import { eachDirection } from "./claim-rows.ts";
import { settleInbound } from "./settle-inbound.ts";
import { settleOutbound } from "./settle-outbound.ts";
import { type SettledRow, type SettleInput, toSettled } from "./settle-rows.ts";

/** Settles that come while a statement runs are batched into the next one, for each direction by itself. */
export function settle(database: Database): Settle {
  const conversationOf = ({ claim }: SettleInput) => claim.conversationId;
  const writes = {
    inbound: inStatements<SettleInput, SettledRow>(database, settleInbound, conversationOf),
    outbound: inStatements<SettleInput, SettledRow>(database, settleOutbound, conversationOf),
  };
  return async (claim, messages, settlement, { keepForMs }) => {
    const [first, ...others] = messages;
    if (first === undefined) return null;
    const input: SettleInput = { claim, messages: [first, ...others], settlement, keepForMs };
    const [row] = await writes[claim.direction](input);
    return row === undefined ? findSettled(database, input) : toSettled(row);
  };
}

/**
 * The result of this very settle when it was written before and its answer was lost; null when it never was, or when the claim that it
 * was to keep has passed to another holder. The message tells: no other process began its last try in the same millisecond.
 */
async function findSettled(database: Database, { claim, messages, settlement, keepForMs }: SettleInput): Promise<Settled | null> {
  const { conversationId, direction, holder, claimNumber } = claim;
  const { attempt, notice, callbackOpenUntil = null } = settlement;
  const last = messages.at(-1) as QueuedMessage;
  const [row] = await database.query<Omit<SettledRow, "position">>(FIND[direction], [
    ...[conversationId, last.message.id, attempt.startedAt, keepForMs === null, holder, claimNumber, notice?.messageId ?? null],
    callbackOpenUntil,
  ]);
  return row === undefined ? null : toSettled(row);
}

const FIND = eachDirection(
  (direction) => `
  SELECT EXISTS (SELECT FROM messages WHERE id = $7) AS notice_enqueued, c.${direction}_last > c.${direction}_done AS has_more,
    COALESCE(c.${direction}_holder IS NULL AND c.${direction}_due_at <= now(), false) AS is_due,
    $8::timestamptz(3) IS NOT NULL AND $8::timestamptz(3) <> ALL (c.open_callbacks) AS is_callback_closed
  FROM messages m JOIN conversations c ON c.id = m.conversation_id
  WHERE c.id = $1 AND m.id = $2 AND m.tried_at = $3::timestamptz(3)
    AND ($4::boolean OR c.${direction}_last = c.${direction}_done OR (c.${direction}_holder = $5 AND c.${direction}_claim = $6::bigint))`,
);

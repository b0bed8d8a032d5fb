import { z } from "zod";
import type { DeskStatus, StatusReport } from "../../domain/conversation.ts";
import { toNoticeText } from "./notice-text.ts";
import { isRecord, toStorableText } from "./read.ts";

/**
 * What `status`, `turn`, `agent_name` and `msg` of an answer or a push say; null when none of them is there. A field that is there
 * but cannot be understood makes the status `unknown` and everything else null: what we knew before is then no longer certain.
 */
export function readReport(fields: unknown): StatusReport | null {
  if (!isRecord(fields)) return null;
  const { status, turn, agent_name = fields.agentName, msg } = fields;
  const report: StatusReport = {
    ...(isSaid(status) && { status: toStatus(status) }),
    ...(turn !== undefined && { turn: turnSchema.safeParse(turn).data ?? null }),
    ...(agent_name !== undefined && { agentName: toTextOrNull(agent_name) }),
    ...(msg !== undefined && { notice: toNoticeText(msg) }),
  };
  return Object.keys(report).length > 0 ? report : null;
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

// Udesk's pages spell the first both ways.
const STATUSES: ReadonlyMap<unknown, DeskStatus> = new Map([
  ["queuing", "queueing"],
  ["queueing", "queueing"],
  ["chatting", "chatting"],
  ["offline", "offline"],
]);

function toStatus(status: unknown): DeskStatus {
  const name = typeof status === "string" ? status.trim().toLowerCase() : status;
  return STATUSES.get(name) ?? "unknown";
}

/** The column behind it is a signed 32-bit integer. */
const TURN_MAX = 2 ** 31 - 1;

const digits = z
  .string()
  .trim()
  .regex(/^\d{1,10}(\.0{1,10})?$/);
const turnSchema = z.union([z.number(), digits.transform(Number)]).pipe(z.int().min(0).max(TURN_MAX));

function toTextOrNull(value: unknown): string | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  const text = toStorableText(String(value));
  return text.trim() === "" ? null : text;
}

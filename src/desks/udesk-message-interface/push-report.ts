import type { StatusReport } from "../../domain/conversation.ts";
import { readReport } from "./report.ts";
import { isEmpty } from "./unsaid.ts";

/**
 * The report on the conversation in a push; null when the push has none. A push may have a `status` of its own, such as a delivery flag
 * (`"status": 1`): a status that is none of the conversation's changes nothing. Neither does any other unreadable field, such as a
 * `turn` of 2.5. An empty field says that there is none.
 */
export function readPushReport(fields: Record<string, unknown>): StatusReport | null {
  const { status, ...rest } = readReport(readableOf(fields)) ?? {};
  const isOfConversation = status !== undefined && (status !== "unknown" || saysUnknown(fields.status));
  const report = isOfConversation ? { status, ...rest } : rest;
  return Object.keys(report).length > 0 ? report : null;
}

/** Without the fields of a report that hold something of which nothing can be read. */
function readableOf(fields: Record<string, unknown>): Record<string, unknown> {
  const isReadable = ([name, value]: [string, unknown]) => isEmpty(value) || Object.values(readReport({ [name]: value }) ?? {})[0] !== null;
  return Object.fromEntries(
    REPORT_NAMES.filter((name) => Object.hasOwn(fields, name))
      .map((name) => [name, fields[name]] as [string, unknown])
      .filter(isReadable),
  );
}

const REPORT_NAMES = ["status", "turn", "agent_name", "agentName", "msg"];

/** Such a flag alone: there is nothing to store, and nothing to complain about. */
export function isReceipt(fields: Record<string, unknown>): boolean {
  return fields.status !== undefined;
}

function saysUnknown(status: unknown): boolean {
  return typeof status === "string" && status.trim().toLowerCase() === "unknown";
}

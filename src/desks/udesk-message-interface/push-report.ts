import type { StatusReport } from "../../domain/conversation.ts";
import { readReport } from "./report.ts";

/**
 * What a push says of the conversation; null when it says nothing. A push may have a `status` of its own, such as a delivery flag
 * (`"status": 1`): what is none of the conversation's words leaves what is known as it is.
 */
export function readPushReport(fields: Record<string, unknown>): StatusReport | null {
  const { status, ...rest } = readReport(fields) ?? {};
  const isOfConversation = status !== undefined && (status !== "unknown" || saysUnknown(fields.status));
  const report = isOfConversation ? { status, ...rest } : rest;
  return Object.keys(report).length > 0 ? report : null;
}

/** Such a flag alone: there is nothing to store, and nothing to complain about. */
export function isReceipt(fields: Record<string, unknown>): boolean {
  return fields.status !== undefined;
}

function saysUnknown(status: unknown): boolean {
  return typeof status === "string" && status.trim().toLowerCase() === "unknown";
}

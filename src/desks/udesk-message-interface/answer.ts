import type { HttpAnswer } from "../../base/http-client.ts";
import { decodeText, readJson } from "../../base/read-json.ts";
import type { StatusReport } from "../../domain/conversation.ts";
import { isRecord } from "./read.ts";
import { readReport } from "./report.ts";

/**
 * The meaning of a 2xx answer to a submitted message (contract.md §9, "Forwarded means said"):
 *
 *   taken    a JSON object with a `status` of any value, or with `success: true`; the report is null when it has no status
 *   silent   an empty body: Udesk documents an answer with a status, so this counts as a yes with a warning
 *   other    anything else, such as a login page or the page of another server: it does not confirm that the desk has the message
 */
export type Answer = { kind: "taken"; report: StatusReport | null } | { kind: "silent" } | { kind: "other" };

/** The answer's JSON value, or its text when it is not JSON. Never throws: what the desk answers is not ours to refuse. */
export function parseAnswer(answer: Pick<HttpAnswer, "headers" | "body">): unknown {
  return readJson(answer) ?? decodeText(answer);
}

export function readAnswer(value: unknown): Answer {
  if (typeof value === "string" && value.trim() === "") return { kind: "silent" };
  if (!isRecord(value)) return { kind: "other" };
  if (Object.hasOwn(value, "status")) return { kind: "taken", report: { status: "unknown", ...readReport(value) } };
  return saysYes(value.success) ? { kind: "taken", report: null } : { kind: "other" };
}

/** As a JSON value or as its name. A refusal may come as either, too (refusal.ts). */
export function saysYes(success: unknown): boolean {
  return success === true || success === "true";
}

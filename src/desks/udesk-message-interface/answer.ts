import type { StatusReport } from "../../domain/conversation.ts";
import { readReport } from "./report.ts";

/** The answer's JSON value, or its text when it is not JSON. Never throws: what the desk answers is not ours to refuse. */
export function parseAnswer(body: Buffer): unknown {
  const text = new TextDecoder().decode(body);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What the desk's answer to a submission says of the conversation; `unknown` when it says nothing that we understand. */
export function toStatusReport(answer: unknown): StatusReport {
  return readReport(answer) ?? { status: "unknown" };
}

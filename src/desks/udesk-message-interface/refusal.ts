import { isRecord } from "./read.ts";

export interface Refusal {
  /** Whether the desk could not verify us, as opposed to not liking what we sent. */
  ofSignature: boolean;
  /** The desk's own words, as they came; empty when it gave none. */
  reason: string;
  /** What is the matter, and what to do. Both free of anything secret. */
  meaning: string;
  remedy: string;
}

/** A "no" that Udesk says in the body of an answer, whatever its HTTP status; null when the body says no such thing. */
export function readRefusal(answer: unknown): Refusal | null {
  const said = isRecord(answer) ? answer.msg : answer;
  const reason = typeof said === "string" ? said : "";
  const isRefused = isRecord(answer) && (answer.success === false || answer.success === "false");
  // An answer with a status has understood us; its `msg` is meant for the customer and may contain any words.
  if (!isRefused && isRecord(answer) && answer.status !== undefined) return null;
  if (reason.includes("验证不通过")) {
    return {
      ofSignature: true,
      reason,
      meaning: "the desk refused the signature: this account's desk key is not the desk's KEY",
      remedy: "enter the KEY of Udesk's Message Interface Access page as this account's desk key (desk.key)",
    };
  }
  if (reason.includes("请传递验证参数")) {
    return {
      ofSignature: true,
      reason,
      meaning: "the desk insists on a number and an e-mail",
      remedy: 'set desk.identity to "synthetic"',
    };
  }
  if (!isRefused) return null;
  return {
    ofSignature: false,
    reason,
    meaning: "the desk refused",
    remedy: "check this account's desk key and desk.url first",
  };
}

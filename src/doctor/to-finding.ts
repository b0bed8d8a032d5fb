import type { Finding } from "./finding.ts";

/** A check as the API answers it. */
export interface Check {
  ok: boolean;
  pending?: boolean | undefined;
  sentence: string;
  why?: string | null | undefined;
  remedy?: string | null | undefined;
  ms?: number | undefined;
}

/** Advice beside something that works is a warning. */
export function toFinding(name: string, { ok, pending, sentence, why, remedy = null, ms }: Check, account?: string): Finding {
  return {
    name,
    ok: pending ? "pending" : ok && remedy !== null ? "warning" : ok,
    what: sentence,
    why: why ?? "",
    remedy,
    ...(account !== undefined && { account }),
    ...(ms !== undefined && { ms }),
  };
}

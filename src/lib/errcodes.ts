import { DONE, type Outcome } from "../domain/outcome.ts";
import { toQuotable } from "./redact.ts";

/** What one errcode asks for. `refresh`: a new access token and one more try, otherwise as `retry`. */
export interface Errcode {
  action: "refresh" | "retry" | "hold" | "rejected";
  /** In plain English: what is the matter; what to do. */
  meaning: string;
  retryAfterMs?: number;
  triesMax?: number;
}

export type Errcodes = ReadonlyMap<string, Errcode>;

/** An unknown errcode is `rejected`: nothing was taken, and an operator sees it and can replay the message. */
export function judge(errcodes: Errcodes, errcode: string, errmsg: string): Outcome {
  if (errcode === "0") return DONE;
  const refusal = { code: errcode, detail: explain(errcodes, errcode, errmsg) };
  const known = errcodes.get(errcode);
  switch (known?.action) {
    case "retry":
    case "refresh": {
      const { retryAfterMs, triesMax } = known;
      return {
        kind: "retry",
        ...refusal,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
        ...(triesMax !== undefined && { triesMax }),
      };
    }
    case "hold":
      return { kind: "hold", ...refusal };
    default:
      return { kind: "rejected", ...refusal };
  }
}

const ERRMSG_LENGTH_MAX = 200;

/** Our words first, then the platform's own: they hold what only it knows, as the address that is not on its list. */
export function explain(errcodes: Errcodes, errcode: string, errmsg: string): string {
  const meaning = errcodes.get(errcode)?.meaning ?? "unknown to this gateway; look it up in the platform's list of return codes";
  const theirs = errmsg === "" ? "" : ` (${toQuotable(errmsg).slice(0, ERRMSG_LENGTH_MAX)})`;
  return `errcode ${errcode}: ${meaning}${theirs}`;
}

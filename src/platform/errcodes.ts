import { toQuotable } from "../base/redact.ts";
import { type Allowance, DONE, type Outcome } from "../domain/outcome.ts";
import { readCallerAddress } from "./caller-address.ts";

/**
 * The reaction to one errcode. `refresh`: a new access token and one more try, otherwise as `retry`. `upload`: media that the gateway
 * uploaded itself are uploaded once more, otherwise as `rejected`. `split`: smaller parts.
 */
export interface Errcode {
  action: "refresh" | "retry" | "hold" | "upload" | "split" | "rejected";
  /** In plain English: what is the matter. */
  meaning: string;
  /** What to do. `{address}` stands for the address that the platform saw us call from. */
  remedy: string;
  retryAfterMs?: number;
  triesMax?: number;
  /** With `hold`: what is over, which the conversation then shows. */
  ended?: Allowance;
}

/** A platform's dictionary: logs, API, command line and `doctor` all say what stands here. */
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
      return { kind: "hold", ...refusal, ...(known.ended !== undefined && { ended: known.ended }) };
    case "upload":
      return { kind: "rejected", ...refusal, isMediaUnknown: true };
    case "split":
      return { kind: "rejected", ...refusal, isTooLong: true };
    default:
      return { kind: "rejected", ...refusal };
  }
}

const ERRMSG_LENGTH_MAX = 200;

/** Our words first, then the platform's own: they hold what only it knows, as the id of the request. */
export function explain(errcodes: Errcodes, errcode: string, errmsg: string): string {
  const { meaning, remedy } = lookUp(errcodes, errcode, errmsg);
  const theirs = errmsg === "" ? "" : ` (${toQuotable(errmsg).slice(0, ERRMSG_LENGTH_MAX)})`;
  return `errcode ${errcode}: ${meaning}; ${remedy}${theirs}`;
}

/** What the code means and what to do, for an unknown one as well. */
export function lookUp(errcodes: Errcodes, errcode: string, errmsg: string): Pick<Errcode, "meaning" | "remedy"> {
  const { meaning, remedy } = errcodes.get(errcode) ?? UNKNOWN;
  return { meaning, remedy: remedy.replaceAll("{address}", readCallerAddress(errmsg) ?? "this machine's public address") };
}

const UNKNOWN = { meaning: "unknown to this gateway", remedy: "look it up in the platform's list of return codes" };

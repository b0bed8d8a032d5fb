import { isIPv4 } from "node:net";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Problem } from "../problem.ts";

export interface GuessLimit {
  /**
   * Counts a wrong key.
   * @throws Problem RATE_LIMITED when it is one too many: so also of keys tried at the same moment only the first are told "wrong"
   */
  failed(address: string): Promise<void>;
}

const FAILURES_MAX = 10;
const WINDOW_SECONDS = 60;

/**
 * Counts wrong keys by address; beyond the limit a wrong key is answered with RATE_LIMITED until the window of the first is over.
 * Only wrong keys are counted and refused. A valid key must work despite wrong keys from the same address (loopback, a router, a
 * proxy), so a key is always looked up first. Each process counts for itself.
 */
export function createGuessLimit({ failuresMax = FAILURES_MAX, windowSeconds = WINDOW_SECONDS } = {}): GuessLimit {
  const failures = new RateLimiterMemory({ points: failuresMax, duration: windowSeconds });
  return {
    failed: async (address) => {
      const state = await failures.penalty(toNetwork(address));
      if (state.consumedPoints > failuresMax) throw tooMany(state.msBeforeNext);
    },
  };
}

function tooMany(waitMs: number): Problem {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
  const detail = `this API key is wrong, and too many wrong ones came from your address; send a valid one, or wait ${retryAfterSeconds} s`;
  return new Problem("RATE_LIMITED", detail, { retryAfterSeconds });
}

/** A subscriber has any number of IPv6 addresses, but all in one /64. */
function toNetwork(address: string): string {
  const tail = address.slice(address.lastIndexOf(":") + 1);
  if (isIPv4(tail)) return tail;
  const [head = "", rest] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = rest === undefined ? 0 : 8 - groups.length - (rest === "" ? 0 : rest.split(":").length);
  return [...groups, ...Array.from({ length: missing }, () => "0"), ...(rest ?? "").split(":")].slice(0, 4).join(":");
}

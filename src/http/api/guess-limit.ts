import { isIPv4 } from "node:net";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Problem } from "../problem.ts";

export interface GuessLimit {
  /**
   * Lets a key be looked up.
   * @throws Problem RATE_LIMITED when too many keys from this address were wrong, unless this one was right from there before
   */
  allow(address: string, hash: string): Promise<void>;
  succeeded(address: string, hash: string): void;
  /**
   * Counts a wrong key.
   * @throws Problem RATE_LIMITED when it is one too many: so also of keys tried at the same moment only the first are told "wrong"
   */
  failed(address: string, hash: string): Promise<void>;
}

const FAILURES_MAX = 10;
const WINDOW_SECONDS = 60;
/** An address and a hash each; the one that was not used for longest goes first. */
const REMEMBERED_MAX = 1_000;

/**
 * Slows down who guesses keys. After too many wrong ones an address has to wait until the window of the first is over; a further
 * guess is not even looked up. Who has used a key from there before goes on with it, so that nobody can lock out a neighbour
 * behind the same router or proxy. Each process counts for itself.
 */
export function createGuessLimit({ failuresMax = FAILURES_MAX, windowSeconds = WINDOW_SECONDS } = {}): GuessLimit {
  const failures = new RateLimiterMemory({ points: failuresMax, duration: windowSeconds });
  const proven = new Set<string>();
  const pair = (address: string, hash: string) => `${toNetwork(address)} ${hash}`;

  return {
    allow: async (address, hash) => {
      if (proven.has(pair(address, hash))) return;
      const state = await failures.get(toNetwork(address));
      if (state !== null && state.consumedPoints >= failuresMax) throw tooMany(state.msBeforeNext);
    },
    succeeded: (address, hash) => {
      proven.delete(pair(address, hash));
      proven.add(pair(address, hash));
      const [oldest] = proven;
      if (proven.size > REMEMBERED_MAX && oldest !== undefined) proven.delete(oldest);
    },
    failed: async (address, hash) => {
      proven.delete(pair(address, hash));
      const state = await failures.penalty(toNetwork(address));
      if (state.consumedPoints > failuresMax) throw tooMany(state.msBeforeNext);
    },
  };
}

function tooMany(waitMs: number): Problem {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
  const detail = `too many wrong API keys came from your address; wait ${retryAfterSeconds} s, then send one that is valid`;
  return new Problem("RATE_LIMITED", detail, { retryAfterSeconds });
}

/** One subscriber has as many IPv6 addresses as he likes, but all in one /64. */
function toNetwork(address: string): string {
  const tail = address.slice(address.lastIndexOf(":") + 1);
  if (isIPv4(tail)) return tail;
  const [head = "", rest] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = rest === undefined ? 0 : 8 - groups.length - (rest === "" ? 0 : rest.split(":").length);
  return [...groups, ...Array.from({ length: missing }, () => "0"), ...(rest ?? "").split(":")].slice(0, 4).join(":");
}

import type { LoopbackAnswer } from "./loopback-answer.ts";

/** One way to go wrong, for the requests it matches. */
export type Misbehaviour = MisbehaviourKind & {
  /** The exact path, or a pattern of it; every request when absent. */
  path?: string | RegExp;
  /** How many requests it spoils; until it is removed when absent. */
  times?: number;
};

export type MisbehaviourKind =
  /** Does the work at once and answers `ms` later. */
  | { kind: "late"; ms: number }
  /** Does the work at once and answers when `until` resolves. */
  | { kind: "held"; until: Promise<void> }
  /** Closes the connection without looking at the request: the caller cannot tell it from `drop-after`. */
  | { kind: "drop-before" }
  /** Does the work and closes the connection instead of answering. */
  | { kind: "drop-after" }
  /** Does the work and sends its answer in another form: compressed, with a byte order mark. */
  | { kind: "rewrite"; rewrite: (answer: LoopbackAnswer) => LoopbackAnswer }
  /** Answers this status without doing the work. */
  | { kind: "status"; status: number; headers?: Record<string, string> }
  /** Answers 200 with this error, as the platforms do, without doing the work. */
  | { kind: "errcode"; errcode: number; errmsg: string };

export interface Misbehaviours {
  /** Returns a function that takes the rule away again. */
  add(rule: Misbehaviour): () => void;
  /** The oldest rule that matches, counted as used. */
  take(path: string): Misbehaviour | null;
}

export function createMisbehaviours(): Misbehaviours {
  const rules = new Map<Misbehaviour, number>();
  return {
    add: (given) => {
      const rule = { ...given };
      rules.set(rule, rule.times ?? Number.POSITIVE_INFINITY);
      return () => rules.delete(rule);
    },
    take: (path) => {
      for (const [rule, timesLeft] of rules) {
        if (!matches(rule, path)) continue;
        if (timesLeft > 1) rules.set(rule, timesLeft - 1);
        else rules.delete(rule);
        return rule;
      }
      return null;
    },
  };
}

function matches({ path }: Misbehaviour, requested: string): boolean {
  if (path === undefined) return true;
  return typeof path === "string" ? path === requested : path.test(requested);
}

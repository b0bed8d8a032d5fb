import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { type DatabaseFault, type ToDatabaseFault, toSentence } from "../domain/database-fault.ts";
import type { LastFault } from "../domain/last-fault.ts";
import type { HealthStore } from "../domain/store.ts";

export const readinessSchema = z.object({
  status: z.enum(["ok", "unavailable"]),
  checks: z.object({
    database: z.enum(["ok", "unreachable", "not-writable"]),
    migrations: z.enum(["ok", "incomplete", "unknown"]),
    worker: z.enum(["ok", "stopped"]),
    stopping: z.enum(["no", "yes"]),
  }),
  problem: z
    .object({ code: z.string().describe("As in docs/problems.md."), detail: z.string().describe("What is the case, and what to do.") })
    .optional()
    .describe("What is wrong with the database; absent when nothing is."),
});

export type Readiness = z.output<typeof readinessSchema>;
export type StoreReadiness = Pick<Readiness["checks"], "database" | "migrations"> & Pick<Readiness, "problem">;

export interface StoreReadinessDeps {
  health: HealthStore;
  toDatabaseFault: ToDatabaseFault;
  lastFault: Pick<LastFault, "current" | "forget">;
}

/** However many ask, the database is asked once in this time. */
const FRESH_MS = 1_000;
/** Probes usually wait a little longer than this before they give up. */
const CHECK_TIMEOUT_MS = 2_000;

/** Whether messages can be stored. A check that has no answer yet is the one that everybody waits for. */
export function createStoreReadiness(deps: StoreReadinessDeps): () => Promise<StoreReadiness> {
  let asked: { answer: Promise<StoreReadiness>; atMs: number } | null = null;
  let isUnderWay = false;
  let hasPassed = true;
  const judged = async (check: Promise<void>) => {
    const answer = await judge(check, deps.toDatabaseFault);
    const passes = answer.problem === undefined;
    // The check saw what messages met, and it is over: they need not be tried first.
    if (passes && !hasPassed) deps.lastFault.forget();
    hasPassed = passes;
    const fault = passes ? deps.lastFault.current() : null;
    return fault === null ? answer : notWritable(fault);
  };
  return () => {
    if (asked === null || (!isUnderWay && performance.now() - asked.atMs >= FRESH_MS)) {
      isUnderWay = true;
      const check = (async () => deps.health.check())();
      check
        .catch(() => {})
        .finally(() => {
          isUnderWay = false;
        });
      asked = { answer: judged(check), atMs: performance.now() };
    }
    return asked.answer;
  };
}

async function judge(check: Promise<void>, toDatabaseFault: ToDatabaseFault): Promise<StoreReadiness> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new NoAnswerError()), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check, timeout]);
    return { database: "ok", migrations: "ok" };
  } catch (error) {
    const fault = toDatabaseFault(error);
    if (fault !== null && fault.code !== "DATABASE_UNAVAILABLE") return notWritable(fault);
    // It answered, but not with this build's migrations.
    if (fault === null && error instanceof ConfigError) {
      return { database: "ok", migrations: "incomplete", problem: { code: error.code, detail: error.message } };
    }
    const detail = fault === null ? toUnknown(error) : toSentence(fault);
    return { database: "unreachable", migrations: "unknown", problem: { code: "DATABASE_UNAVAILABLE", detail } };
  } finally {
    clearTimeout(timer);
  }
}

class NoAnswerError extends Error {}

/** Without the error's own words: they may quote an address with its password. */
function toUnknown(error: unknown): string {
  return error instanceof NoAnswerError
    ? `the database gave no answer within ${CHECK_TIMEOUT_MS / 1_000} s; look whether it stands still, or what keeps it busy`
    : "the database does not let itself be asked; read its log";
}

function notWritable(fault: DatabaseFault): StoreReadiness {
  return { database: "not-writable", migrations: "unknown", problem: { code: fault.code, detail: toSentence(fault) } };
}

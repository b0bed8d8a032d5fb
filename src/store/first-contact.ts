import { Prisma } from "../generated/prisma/client.ts";

/** Postgres: unique_violation, deadlock_detected. */
const MET_AT_ONCE: ReadonlySet<string | undefined> = new Set(["23505", "40P01"]);

const RUNS_MAX = 3;

/**
 * Runs a statement that stores a contact's conversation if it is new, and runs it again when another process met the contact in the
 * same moment: ON CONFLICT (id) covers the primary key alone, and on the other unique index, of (account_id, open_id), the two
 * statements can meet first, which is an error for one of them. The next run finds the row.
 */
export async function withFirstContact<T>(statement: () => Promise<T>): Promise<T> {
  for (let run = 1; ; run++) {
    try {
      return await statement();
    } catch (error) {
      if (run === RUNS_MAX || !MET_AT_ONCE.has(toPostgresCode(error))) throw error;
    }
  }
}

function toPostgresCode(error: unknown): string | undefined {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return undefined;
  const adapterError = error.meta?.driverAdapterError as { cause?: { originalCode?: string } } | undefined;
  return adapterError?.cause?.originalCode;
}

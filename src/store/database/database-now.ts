import type { Prisma } from "../../generated/prisma/client.ts";

/**
 * The database's time. Times that several processes compare are stored by the database's clock. The store translates a time that this
 * process compares to its own clock, so the clocks of two processes are never compared.
 */
export async function readDatabaseNow(prisma: Prisma.TransactionClient): Promise<Date> {
  const [row] = await prisma.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  if (row === undefined) throw new Error("the database told no time");
  return row.now;
}

/** The same moment by another clock: both readings are of one instant. */
export function translate(moment: Date, from: Date, to: Date): Date {
  return new Date(moment.getTime() - from.getTime() + to.getTime());
}

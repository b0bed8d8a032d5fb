import type { Prisma } from "../generated/prisma/client.ts";

/**
 * The database's time. What processes compare is stored by the database's clock; a moment that is to be compared within this process is
 * translated as it passes the store, so that the clocks of two processes never meet.
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

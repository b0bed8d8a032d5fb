/** The ways in which a database can fail its gateway, as an operator tells them apart. Also codes of the API and of a failed start. */
export const DATABASE_FAULT_CODES = [
  "DATABASE_UNAVAILABLE",
  "DATABASE_BUSY",
  "DATABASE_READ_ONLY",
  "DATABASE_FULL",
  "DATABASE_FORBIDDEN",
  "DATABASE_MISMATCHED",
  "DATABASE_POOLED",
  "DATABASE_FAILED",
] as const;

export type DatabaseFaultCode = (typeof DATABASE_FAULT_CODES)[number];

/** Why the database did not do what it was asked. Passes by itself, or by an act of an operator; never a fault of the request. */
export interface DatabaseFault {
  code: DatabaseFaultCode;
  /** The condition, in half a sentence. */
  what: string;
  /** The step that an operator can take. */
  remedy: string;
  /** `statement`: other statements may succeed meanwhile, such as those that need no locked row. */
  concerns: "statement" | "database";
  /** Of PostgreSQL, Prisma or Node: `53100`. */
  origin: string;
}

/** Null: the error is not the database's, or the statement itself is wrong. */
export type ToDatabaseFault = (error: unknown) => DatabaseFault | null;

export function toSentence({ what, origin, remedy }: DatabaseFault): string {
  return `${what} (${origin}); ${remedy}`;
}

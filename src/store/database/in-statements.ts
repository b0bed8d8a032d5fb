import { BATCH_OPTIONS } from "./batch-options.ts";
import type { Database } from "./database.ts";
import { type BatchOptions, inBatches } from "./in-batches.ts";

/** Runs a batch statement for one input at a time: those that come while it runs go into the next run. Answers with the rows of the input. */
export function inStatements<Input, Row extends { position: number }>(
  database: Database,
  statement: (database: Database, inputs: readonly Input[]) => Promise<Row[]>,
  conversationOf: (input: Input) => string,
  options: BatchOptions<Input> = BATCH_OPTIONS,
): (input: Input) => Promise<Row[]> {
  return inBatches(
    async (inputs: readonly Input[]) => {
      const rows = inputs.map((): Row[] => []);
      for (const row of await statement(database, inputs)) rows[row.position]?.push(row);
      return rows;
    },
    // A statement can write a row only once.
    { ...options, keyOf: conversationOf },
  );
}

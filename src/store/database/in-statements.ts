import { BATCH_OPTIONS } from "./batch-options.ts";
import type { Database } from "./database.ts";
import { inBatches } from "./in-batches.ts";

/** Runs a batch statement for one input at a time: those that come while it runs go into the next run. */
export function inStatements<Input, Row extends { position: number }>(
  database: Database,
  statement: (database: Database, inputs: readonly Input[]) => Promise<Row[]>,
  conversationOf: (input: Input) => string,
): (input: Input) => Promise<Row | null> {
  return inBatches(
    async (inputs: readonly Input[]) => {
      const byPosition = new Map((await statement(database, inputs)).map((row) => [row.position, row]));
      return inputs.map((_, position) => byPosition.get(position) ?? null);
    },
    // A statement can write a row only once.
    { ...BATCH_OPTIONS, keyOf: conversationOf },
  );
}

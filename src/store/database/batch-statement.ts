import { type ColumnType, toBinaryArray } from "./binary-array.ts";
import type { Database } from "./database.ts";

/** A column of the rows that a statement is given: its type, and its value for an input; undefined is NULL. */
export type Column<Input> = readonly [type: ColumnType, value: (input: Input) => unknown];

export type Columns<Input> = Readonly<Record<string, Column<Input>>>;

/**
 * A statement for many inputs at once: one array per column as a parameter, in binary. `sql` gets the table expression that gives the rows
 * back, with a column `position`, from 0, by which results are put in order.
 *
 * Not through Prisma: its client and JSON rows took a tenth of the gateway's time per message.
 */
export function batchStatement<Input>(columns: Columns<Input>, sql: (given: string) => string) {
  const entries = Object.entries(columns);
  // A scalar subselect hides the array's length from the planner: planned for each length, a statement is never kept as a generic plan.
  const arrays = entries.map(([, [type]], index) => `(SELECT $${index + 1}::${type}[])`);
  const names = entries.map(([name]) => name).join(", ");
  const text = sql(
    `(SELECT (ordinality - 1)::int AS position, ${names} FROM unnest(${arrays.join(", ")}) WITH ORDINALITY AS t(${names}, ordinality))`,
  );
  return <Row>(session: Pick<Database, "query">, inputs: readonly Input[]): Promise<Row[]> =>
    session.query<Row>(
      text,
      entries.map(([, [type, value]]) => toBinaryArray(type, inputs.map(value))),
    );
}

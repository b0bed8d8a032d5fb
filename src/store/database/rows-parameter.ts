import { toStorableJson } from "./binary-array.ts";

/** Rows for `json_to_recordset`: one parameter, however many rows and columns. */
export function toRowsParameter(rows: readonly object[]): string {
  return toStorableJson(rows);
}

/** The same for one value of a `jsonb` column. */
export function toJsonParameter(value: object): string {
  return toStorableJson(value);
}

/** The types of columns that rows are sent in, with their object ids in Postgres (src/include/catalog/pg_type.dat). */
const TYPES = { bool: 16, int8: 20, int4: 23, text: 25, float8: 701, timestamptz: 1184, jsonb: 3802 } as const;

export type ColumnType = keyof typeof TYPES;

/** Postgres counts microseconds from the start of 2000. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const HEADER_BYTES = 20;
const JSONB_VERSION = 1;

/**
 * A one-dimensional array in Postgres' binary format (array_recv in src/backend/utils/adt/arrayfuncs.c). Undefined counts as null.
 *
 * What Postgres takes in no text, a NUL or half of a surrogate pair, becomes U+FFFD: a vendor's sentence that was cut in the middle of a
 * character must not keep a row from being stored.
 */
export function toBinaryArray(type: ColumnType, values: readonly unknown[]): Buffer {
  const encoded = values.map((value) => (value === null || value === undefined ? null : encode(type, value)));
  const bytes = encoded.reduce((sum, element) => sum + 4 + (element?.length ?? 0), HEADER_BYTES);
  const buffer = Buffer.allocUnsafe(bytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(encoded.includes(null) ? 1 : 0, 4);
  buffer.writeInt32BE(TYPES[type], 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  let offset = HEADER_BYTES;
  for (const element of encoded) {
    buffer.writeInt32BE(element?.length ?? -1, offset);
    offset += 4;
    if (element === null) continue;
    element.copy(buffer, offset);
    offset += element.length;
  }
  return buffer;
}

function encode(type: ColumnType, value: unknown): Buffer {
  switch (type) {
    case "bool":
      return Buffer.of(value ? 1 : 0);
    case "int4":
      return withBytes(4, (buffer) => buffer.writeInt32BE(Number(value)));
    case "int8":
      return withBytes(8, (buffer) => buffer.writeBigInt64BE(BigInt(value as number | string)));
    case "float8":
      return withBytes(8, (buffer) => buffer.writeDoubleBE(Number(value)));
    case "timestamptz":
      return withBytes(8, (buffer) => buffer.writeBigInt64BE(BigInt((value as Date).getTime() - EPOCH_MS) * 1_000n));
    case "text":
      // Encoding makes U+FFFD of a lone surrogate by itself.
      return Buffer.from(String(value).replaceAll("\0", "\uFFFD"));
    case "jsonb":
      return Buffer.concat([Buffer.of(JSONB_VERSION), Buffer.from(toStorableJson(value))]);
  }
}

function withBytes(bytes: number, write: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  write(buffer);
  return buffer;
}

/** How `JSON.stringify` writes what no text may hold. It may also find a backslash typed before such letters, which harms nothing. */
const NO_TEXT = /\\u(0000|d[89a-f])/;

/** JSON that a `jsonb` column takes. */
export function toStorableJson(value: unknown): string {
  const json = JSON.stringify(value);
  return NO_TEXT.test(json) ? JSON.stringify(value, toText) : json;
}

function toText(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll("\0", "\uFFFD").replace(/\p{Surrogate}/gu, "\uFFFD") : value;
}

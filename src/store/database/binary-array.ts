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
  // Texts are written once their length is known, everything into one buffer: a small buffer for each element costs more than its bytes.
  const elements = values.map((value) => (value === null || value === undefined ? null : toElement(type, value)));
  const sizes = elements.map((element) => (element === null ? 0 : toSize(type, element)));
  const buffer = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + size, HEADER_BYTES));
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(elements.includes(null) ? 1 : 0, 4);
  buffer.writeInt32BE(TYPES[type], 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  let offset = HEADER_BYTES;
  for (const [index, element] of elements.entries()) {
    const size = sizes[index] ?? 0;
    buffer.writeInt32BE(element === null ? -1 : size, offset);
    offset += 4;
    if (element !== null) write(type, element, buffer, offset);
    offset += size;
  }
  return buffer;
}

type Element = string | number | bigint;

function toElement(type: ColumnType, value: unknown): Element {
  switch (type) {
    case "bool":
      return value ? 1 : 0;
    case "int4":
    case "float8":
      return Number(value);
    case "int8":
      return BigInt(value as number | string);
    case "timestamptz":
      return BigInt((value as Date).getTime() - EPOCH_MS) * 1_000n;
    case "text":
      // Encoding makes U+FFFD of a lone surrogate by itself.
      return String(value).replaceAll("\0", "\uFFFD");
    case "jsonb":
      return toStorableJson(value);
  }
}

const FIXED_BYTES = { bool: 1, int4: 4, int8: 8, float8: 8, timestamptz: 8 } as const;

function toSize(type: ColumnType, element: Element): number {
  if (type === "text") return Buffer.byteLength(element as string);
  if (type === "jsonb") return 1 + Buffer.byteLength(element as string);
  return FIXED_BYTES[type];
}

function write(type: ColumnType, element: Element, buffer: Buffer, offset: number): void {
  switch (type) {
    case "bool":
      buffer[offset] = element as number;
      return;
    case "int4":
      buffer.writeInt32BE(element as number, offset);
      return;
    case "float8":
      buffer.writeDoubleBE(element as number, offset);
      return;
    case "int8":
    case "timestamptz":
      buffer.writeBigInt64BE(element as bigint, offset);
      return;
    case "text":
      buffer.write(element as string, offset);
      return;
    case "jsonb":
      buffer[offset] = JSONB_VERSION;
      buffer.write(element as string, offset + 1);
      return;
  }
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

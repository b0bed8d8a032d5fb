const BLANK = 0x20;
const PERCENT = 0x25;
const PLUS = 0x2b;

/**
 * The bytes that a part of a form stands for, in place: `%20` and `+` are a blank. Byte by byte, since a pattern with a callback takes
 * most of a second for a megabyte of escapes.
 */
export function unescapeForm(bytes: Buffer): Buffer {
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    const escaped = byte === PERCENT ? hexOf(bytes[at + 1]) * 16 + hexOf(bytes[at + 2]) : Number.NaN;
    if (!Number.isNaN(escaped)) at += 2;
    bytes[length] = Number.isNaN(escaped) ? (byte === PLUS ? BLANK : byte) : escaped;
    length += 1;
  }
  return bytes.subarray(0, length);
}

/** The value of a hexadecimal digit; NaN for any other byte. */
function hexOf(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/**
 * Decodes text without a stated charset, such as file names: UTF-8 when the bytes are valid, else GB18030, which Chinese servers write,
 * else Latin-1, which fits any bytes.
 */
export function decodeBytes(bytes: Buffer): string {
  return decodeAs(bytes, "utf-8") ?? decodeAs(bytes, "gb18030") ?? bytes.toString("latin1");
}

/** Null when the bytes are not in this charset, or the charset is unknown. */
export function decodeAs(bytes: Buffer, charset: string): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The bytes behind %XX; what follows no rule stays as it is. */
export function percentBytes(text: string): Buffer {
  const raw = Buffer.from(text).toString("latin1");
  const decoded = raw.replace(/%([\da-f]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(decoded, "latin1");
}

import { isAscii, isUtf8 } from "node:buffer";
import { DecodeError } from "../../base/errors.ts";

/** Bytes of a push as text; null when they are in another encoding. */
export type Decode = (bytes: Uint8Array) => string | null;

/**
 * Chooses how to decode a body: by its byte order mark, its content type or its XML declaration, and as UTF-8 when all are absent.
 * Bytes that can only be UTF-8 are read as UTF-8 despite another declaration: programs declare one encoding and send another. Of two
 * other declarations the first that fits the bytes counts.
 */
export function toDecode(body: Buffer, contentType: string): Decode {
  const marked = byteOrderMark(body);
  if (marked !== null) return (bytes) => decodeAs(marked, bytes);
  const declared = [charsetOf(contentType), encodingOf(body)].flatMap((name) => (name === undefined || isDefault(name) ? [] : [name]));
  const names = declared.length === 0 ? ["utf-8"] : declared;
  return (bytes) => {
    if (isSurelyUtf8(bytes)) return decodeAs("utf-8", bytes);
    return names.map((name) => decodeAs(name, bytes)).find((text) => text !== null) ?? null;
  };
}

/** The refusal of undecodable bytes. Encoding names come from the sender, so the text repeats none. */
export function notDecodable(what: string): DecodeError {
  return new DecodeError(
    "MESSAGE_INVALID",
    `${what} is not UTF-8, nor what it is declared as; send UTF-8, or declare its encoding (charset=gbk)`,
  );
}

function byteOrderMark([first, second, third]: Buffer): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return null;
}

function charsetOf(contentType: string): string | undefined {
  return /;\s*charset\s*=\s*"?\s*([^\s";]+)/i.exec(contentType)?.[1];
}

/** A declaration is written in letters that all these encodings share (w3.org/TR/xml/#sec-guessing). */
function encodingOf(body: Buffer): string | undefined {
  const start = body.toString("latin1", 0, 200);
  return /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'<>]+)["']/i.exec(start)?.[1];
}

/** Latin-1 is what programs declare that were told nothing, and any bytes fit it: a contact would be shown nonsense. */
function isDefault(name: string): boolean {
  return toEncoding(name) === "windows-1252";
}

/**
 * Letters that all encodings share, or Chinese: in UTF-8 it has three bytes to a character. In GBK a single character can look like two
 * bytes of UTF-8, three hardly ever. A NUL is half of a letter in UTF-16.
 */
function isSurelyUtf8(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0) && (isAscii(bytes) || bytes.some((byte) => byte >= 0xe0));
}

function decodeAs(name: string, bytes: Uint8Array): string | null {
  const encoding = toEncoding(name);
  if (encoding === null) return null;
  try {
    // A byte order mark at the start of a value is part of the value; parsers read the one of the body as a blank.
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Null for one that is unknown. Node's own builds know those of the web (nodejs.org/api/util.html#whatwg-supported-encodings). */
function toEncoding(name: string): string | null {
  try {
    const { encoding } = new TextDecoder(name);
    // The web's GBK is all of GB 18030 (encoding.spec.whatwg.org/#gbk); ICU's is not.
    return encoding === "gbk" ? "gb18030" : encoding;
  } catch {
    return null;
  }
}

import { parse } from "content-disposition";
import { decodeAs, decodeBytes, percentBytes } from "./decode-bytes.ts";

/**
 * The file name that a Content-Disposition header states, in whichever way servers write it: RFC 6266, `filename*` in another charset
 * than UTF-8, raw bytes, percent-encoded or RFC 2047 inside of `filename`, blanks without quotes, no type in front. Undefined when it
 * states none. `header` is one character per byte, as undici gives it.
 */
export function readDispositionName(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const { parameters } = parse(/^\s*filename\*?\s*=/i.test(header) ? `attachment; ${header}` : header);
  return readExtended(parameters["filename*"]) ?? readPlain(parameters.filename);
}

/** RFC 8187: charset'language'percent-encoded. The library reads no other charset than UTF-8 and Latin-1. */
function readExtended(value = ""): string | undefined {
  const [, charset, encoded] = /^([\w.:-]*)'[^']*'(.+)$/.exec(value) ?? [];
  return (encoded === undefined ? null : decodeAs(percentBytes(encoded), charset || "utf-8")) ?? undefined;
}

function readPlain(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const words = value.replace(/\?=\s+=\?/g, "?==?").replace(ENCODED_WORD, readWord);
  if (words !== value) return words;
  const text = decodeBytes(Buffer.from(value, "latin1"));
  return decodeBytes(percentBytes(text));
}

/** RFC 2047, which mail has and HTTP has not. */
const ENCODED_WORD = /=\?([\w.:-]+)\?([bq])\?([^?]*)\?=/gi;

function readWord(word: string, charset: string, encoding: string, text: string): string {
  const quoted = text
    .replaceAll("_", " ")
    .replace(/=([\da-f]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const bytes = encoding.toLowerCase() === "b" ? Buffer.from(text, "base64") : Buffer.from(quoted, "latin1");
  return decodeAs(bytes, charset) ?? word;
}

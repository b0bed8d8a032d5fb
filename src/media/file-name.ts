import { decodeBytes, percentBytes } from "./decode-bytes.ts";
import { isExtension } from "./file-kind.ts";

/** A safe file name: without a path, characters that file systems refuse, and characters that hide the extension. "" when none is left. */
export function cleanName(name: string): string {
  const cleaned = name
    .toWellFormed()
    .replace(INVISIBLE, "")
    .replace(/[\p{Cc}\s]+/gu, " ")
    .replace(/[/\\:*?<>|]/g, "_")
    .replaceAll('"', "'")
    .replace(/^[. ]+/, "");
  // By hand: a pattern tries each run of blanks in the middle from each of its characters.
  let end = cleaned.length;
  while (end > 0 && ". ".includes(cleaned.charAt(end - 1))) end--;
  return cleaned.slice(0, end);
}

/** Zero-width characters and those that turn the reading direction: `invoice\u202efdp.exe` reads as invoiceexe.pdf. */
const INVISIBLE = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A name that a server gave is a path at times. */
export function lastPart(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? "";
}

/** The last part of an address' path, readable. The ending of a program that serves files is none of theirs. */
export function nameInAddress(url: string): string {
  return lastPart(decodeBytes(percentBytes(lastPart(new URL(url).pathname)))).replace(/\.(php|aspx?|jsp|cgi|do|action)$/i, "");
}

/** The extension that a name ends in, without its dot and in lower case; "" for none that programs know. */
export function extensionOf(name: string): string {
  const [, extension = ""] = /[^.]\.([a-z0-9]{1,8})$/i.exec(name) ?? [];
  return isExtension(extension.toLowerCase()) ? extension.toLowerCase() : "";
}

/** File systems take 255 bytes; phones and mail less, and some programs put something behind. */
const NAME_BYTES_MAX = 180;

/** The name with this extension in place of its own, short enough; the extension stays whole. */
export function withExtension(name: string, extension: string): string {
  const own = extensionOf(name);
  const stem = own === "" ? name : name.slice(0, -own.length - 1);
  const ending = extension === "" ? "" : `.${extension}`;
  return cutToBytes(stem, NAME_BYTES_MAX - Buffer.byteLength(ending)).trimEnd() + ending;
}

function cutToBytes(text: string, bytesMax: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) break;
    end += character.length;
  }
  return text.slice(0, end);
}

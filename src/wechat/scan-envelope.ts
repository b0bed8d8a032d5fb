import { DEPTH_MAX } from "./xml-size.ts";
import { invalidXml } from "./xml-text.ts";

/** An envelope has under 20 elements. Compatible mode repeats an event's fields beside Encrypt, lists of them included. */
export const ENVELOPE_ELEMENTS_MAX = 500;
/** A start tag, an end tag and a CDATA section each. */
const MARKUP_MAX = 3 * ENVELOPE_ELEMENTS_MAX;

/** A byte order mark and the XML declaration, in bytes read as Latin-1. */
const PROLOGUE = /^(?:\xEF\xBB\xBF)?(?:<\?xml(?: [a-z]+=(?:"[\w.-]*"|'[\w.-]*'))+ ?\?>)?/;
const TAG = /<(\/?)([A-Za-z]\w*)[\t\n\r ]*>/y;
const BLANK = /^[\t\n\r ]*$/;
const BASE64 = /^[A-Za-z0-9+/=]*$/;
/** Bytes that `toLegalXml` drops as characters. Dropped from the middle of a tag they would change what it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const DROPPED = /[\0-\x08\x0B\x0C\x0E-\x1F]|\xEF\xBF[\xBE\xBF]/;

/**
 * The ciphertext of an encrypted callback in the form that the platforms write: elements without attributes, texts without entities,
 * CDATA sections and comments. Nothing is proven before the ciphertext is known, so this takes a hundredth of the parser's time, and
 * its time grows with the length alone. Where it answers, the parser would answer the same.
 * @returns "" when there is none, null for any other form, which only the parser can judge
 * @throws DecodeError XML_INVALID when there is more markup than an envelope can have
 */
export function scanEncrypted(body: Buffer): string | null {
  const text = body.toString("latin1");
  if (DROPPED.test(text)) return null;
  const open: string[] = [];
  let at = PROLOGUE.exec(text)?.[0].length ?? 0;
  let isRootOver = false;
  let encryptSeen = 0;
  let ciphertext = "";
  /** Only the root's first Encrypt counts; what is nested in it, or elsewhere, is another thing. */
  const say = (said: string) => {
    if (open.length === 2 && open[1] === "Encrypt" && encryptSeen === 1) ciphertext += said;
  };

  for (let count = 0; ; count++) {
    if (count > MARKUP_MAX) throw invalidXml(`it has more than ${ENVELOPE_ELEMENTS_MAX} elements`);
    const next = text.indexOf("<", at);
    const said = text.slice(at, next < 0 ? undefined : next);
    if (open.length === 0 ? !BLANK.test(said) : said.includes("&")) return null;
    say(said);
    if (next < 0) break;

    const isSection = text.startsWith("<![CDATA[", next);
    if (isSection || text.startsWith("<!--", next)) {
      const start = next + (isSection ? 9 : 4);
      const end = text.indexOf(isSection ? "]]>" : "-->", start);
      if (end < 0 || (isSection && open.length === 0)) return null;
      if (isSection) say(text.slice(start, end));
      at = end + 3;
      continue;
    }

    TAG.lastIndex = next;
    const [tag = "", slash, name = ""] = TAG.exec(text) ?? [];
    if (tag === "") return null;
    if (slash !== "") {
      if (open.pop() !== name) return null;
      isRootOver = open.length === 0;
    } else {
      if (isRootOver || (open.length === 0 && name !== "xml")) return null;
      if (open.push(name) > DEPTH_MAX) return null;
      if (open.length === 2 && name === "Encrypt") encryptSeen += 1;
    }
    at = next + tag.length;
  }
  const trimmed = trimBlanks(ciphertext);
  return isRootOver && BASE64.test(trimmed) ? trimmed : null;
}

/** By hand: a pattern for blanks at the end tries each run of blanks in the middle from each of its characters. */
function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && BLANK.test(text.charAt(start))) start++;
  while (end > start && BLANK.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

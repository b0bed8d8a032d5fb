import { invalidXml } from "./xml-text.ts";

/** The deepest callback known has five levels. */
export const DEPTH_MAX = 32;

/** A whole tag, CDATA section, comment or processing instruction. A tag has no "<" inside, in an attribute neither (w3.org/TR/xml/#CleanAttrVals). */
const MARKUP = /<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<[^<>"'!?][^<>"']*(?:"[^<"]*"[^<>"']*|'[^<']*'[^<>"']*)*>/y;

/**
 * Counts the elements before anything is built of them: a parser takes a hundred times as long for each. CDATA sections and comments
 * may hold any number of "<" that a person typed.
 * @throws DecodeError XML_INVALID when there are more, or what is more cannot be told from text
 */
export function requireFewElements(document: string, elementsMax: number): void {
  if (countOf("<", document, elementsMax) <= elementsMax) return;
  let elements = 0;
  for (let at = document.indexOf("<"); at >= 0; at = document.indexOf("<", MARKUP.lastIndex)) {
    MARKUP.lastIndex = at;
    const [markup] = MARKUP.exec(document) ?? [];
    if (markup === undefined) throw invalidXml("it has a tag, comment or CDATA section without end");
    if (/^<[^!?/]/.test(markup)) elements += 1;
    if (elements > elementsMax) throw invalidXml(`it has more than ${elementsMax} elements`);
  }
}

/** Stops counting at the first beyond `countMax`. */
export function countOf(mark: string, text: string, countMax: number): number {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0 && count <= countMax; at = text.indexOf(mark, at + 1)) count += 1;
  return count;
}

import type { XmlElement } from "./xml-element.ts";
import { countOf, DEPTH_MAX } from "./xml-size.ts";
import { decodeEntities } from "./xml-text.ts";

const DECLARATION = /^<\?xml(?: [a-z]+=(?:"[\w.-]*"|'[\w.-]*'))+ ?\?>/;
/** The name of nearly every start tag, which has nothing else in it. */
const NAME = /^[A-Za-z]\w*$/;
/** Any other start tag, and empty-element tags. An attribute has no "<" in it (w3.org/TR/xml/#CleanAttrVals). */
const TAG = /<([A-Za-z_][\w.:-]*)((?:[\t\n\r ]+[A-Za-z_][\w.:-]*=(?:"[^"<&]*"|'[^'<&]*'))*)[\t\n\r ]*(\/?)>/y;
const ATTRIBUTE_NAME = /([\w.:-]+)=(?:"[^"]*"|'[^']*')/g;
const ATTRIBUTES_LENGTH_MAX = 1_000;
const TAG_END = /[\t\n\r ]*>/y;
const BLANK = /^[\t\n\r ]*$/;

/**
 * Reads a document in the forms that the platforms and their relays write: one `xml` element, in it elements, texts, CDATA sections and
 * comments. It takes a sixth of the parser's time, and its time and memory grow with the length alone, so it may read unsigned bodies.
 * Where it answers, the parser would answer the same, except that line ends stay as they are.
 * @returns null for any other form: more than `elementsMax` elements, three times as much markup, processing instructions, declarations,
 * names beyond ASCII, or anything that is not well-formed
 * @throws DecodeError XML_INVALID on a reference to an entity that is not predefined
 */
export function scanXml(document: string, elementsMax: number): XmlElement | null {
  /** Holds the root as its only child. */
  const top: XmlElement = { name: "", text: "", children: [] };
  const open: XmlElement[] = [];
  let element = top;
  let elements = 0;
  /** A start tag, an end tag and a CDATA section for each element; comments and references count too. */
  let markupLeft = 3 * elementsMax;
  let at = DECLARATION.exec(document)?.[0].length ?? 0;

  while (markupLeft-- > 0) {
    const next = document.indexOf("<", at);
    const text = document.slice(at, next < 0 ? undefined : next);
    if (element === top) {
      if (!BLANK.test(text)) return null;
    } else if (text !== "") {
      const references = countOf("&", text, markupLeft);
      markupLeft -= references;
      if (markupLeft < 0) return null;
      element.text += references === 0 ? text : decodeEntities(text);
    }
    if (next < 0) return (element === top && top.children[0]) || null;

    if (document[next + 1] === "/") {
      if (element === top) return null;
      at = skipEndTag(document, next, element.name);
      element = open.pop() ?? top;
    } else if (document.startsWith("<![CDATA[", next)) {
      if (element === top) return null;
      at = skipPast("]]>", document, next + 9);
      element.text += document.slice(next + 9, at - 3);
    } else if (document.startsWith("<!--", next)) {
      at = skipPast("-->", document, next + 4);
    } else {
      const tag = readStartTag(document, next);
      if (tag === null || ++elements > elementsMax) return null;
      if (element === top && (tag.name !== "xml" || top.children.length > 0)) return null;
      const child: XmlElement = { name: tag.name, text: "", children: [] };
      element.children.push(child);
      at = tag.end;
      if (!tag.isEmpty) {
        if (open.push(element) > DEPTH_MAX) return null;
        element = child;
      }
    }
    if (at < 0) return null;
  }
  return null;
}

interface StartTag {
  name: string;
  /** Where the text behind it begins. */
  end: number;
  isEmpty: boolean;
}

function readStartTag(document: string, at: number): StartTag | null {
  const end = document.indexOf(">", at) + 1;
  if (end === 0) return null;
  const name = document.slice(at + 1, end - 1);
  if (NAME.test(name)) return { name, end, isEmpty: false };

  TAG.lastIndex = at;
  const [, fullName = "", attributes = "", slash] = TAG.exec(document) ?? [];
  if (fullName === "" || !hasFewDistinctNames(attributes)) return null;
  return { name: fullName, end: TAG.lastIndex, isEmpty: slash === "/" };
}

/** A repeated attribute makes a document ill-formed. */
function hasFewDistinctNames(attributes: string): boolean {
  if (attributes === "") return true;
  if (attributes.length > ATTRIBUTES_LENGTH_MAX) return false;
  const names = Array.from(attributes.matchAll(ATTRIBUTE_NAME), ([, name]) => name);
  return new Set(names).size === names.length;
}

/** The position behind the end tag of `name`; -1 when there is another thing. */
function skipEndTag(document: string, at: number, name: string): number {
  if (!document.startsWith(name, at + 2)) return -1;
  const nameEnd = at + 2 + name.length;
  if (document[nameEnd] === ">") return nameEnd + 1;
  TAG_END.lastIndex = nameEnd;
  return TAG_END.test(document) ? TAG_END.lastIndex : -1;
}

/** The position behind the next `mark`; -1 when there is none. */
function skipPast(mark: string, document: string, at: number): number {
  const found = document.indexOf(mark, at);
  return found < 0 ? -1 : found + mark.length;
}

import { XMLParser } from "fast-xml-parser";
import type { XmlElement } from "./xml-element.ts";
import { requireWellFormed } from "./xml-form.ts";
import { DEPTH_MAX, requireFewElements } from "./xml-size.ts";
import { decodeEntities, invalidXml } from "./xml-text.ts";

const TEXT = "#text";
const CDATA = "#cdata";
const NAME_MARK = "=";

// One parser for all: building one per call costs half as much again as the parse. Values stay strings ("007", "1e5") and keep their
// blanks; entities stay as they are, so that they can be decoded outside CDATA only.
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: false,
  // Undefined leaves a value alone. The default gives it back, which makes the parser trim each one to see what it could become.
  tagValueProcessor: () => undefined,
  processEntities: false,
  textNodeName: TEXT,
  cdataPropName: CDATA,
  maxNestedTags: DEPTH_MAX,
  jPath: false,
  // fast-xml-parser refuses <__proto__> and <constructor> and renames <toString>. Marked, no name is special. It asks twice for an
  // empty-element tag, hence the test.
  transformTagName: (name) => (name.startsWith(NAME_MARK) ? name : NAME_MARK + name),
});

/** A node of fast-xml-parser's ordered form: one key, a text or the children. */
type OrderedNode = { [key: string]: string | OrderedNode[] };

/**
 * Reads a document of any form: attributes, comments and processing instructions are ignored.
 * @throws DecodeError XML_INVALID when it has a DOCTYPE or another declaration, is not well-formed, has another root than `xml`, more
 * than `elementsMax` elements or more than 32 levels
 */
export function parseAnyXml(document: string, elementsMax: number): XmlElement {
  requireFewElements(document, elementsMax);
  requireWellFormed(document);
  const [root, ...others] = parse(document).filter((node) => typeof node[TEXT] !== "string");
  const content = root?.[`${NAME_MARK}xml`];
  if (!Array.isArray(content) || others.length > 0) throw invalidXml("its only root is not <xml>");
  return toElement("xml", content);
}

function parse(document: string): OrderedNode[] {
  try {
    return parser.parse(document);
  } catch {
    // No cause: the parser's message quotes the body.
    throw invalidXml(`it is malformed or nested deeper than ${DEPTH_MAX} elements`);
  }
}

function toElement(name: string, nodes: OrderedNode[]): XmlElement {
  let text = "";
  const children: XmlElement[] = [];
  for (const node of nodes) {
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === "string") text += decodeEntities(value);
      else if (key === CDATA) for (const section of value) text += section[TEXT];
      else children.push(toElement(key.slice(NAME_MARK.length), value));
    }
  }
  return { name, text, children };
}

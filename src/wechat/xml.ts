import { XMLParser } from "fast-xml-parser";
import { requireWellFormed } from "./xml-form.ts";
import { requireFewElements } from "./xml-size.ts";
import { decodeEntities, invalidXml, toLegalXml } from "./xml-text.ts";

export interface XmlElement {
  name: string;
  /** The element's own text, CDATA included, untrimmed; without the text of its children. */
  text: string;
  children: XmlElement[];
}

// The deepest callback known has five levels, the longest some hundred elements.
export const DEPTH_MAX = 32;
const ELEMENTS_MAX = 5_000;

const TEXT = "#text";
const CDATA = "#cdata";
const NAME_MARK = "=";

// Marked beforehand, for they stand in nearly every body: marking them anew costs an eighth of the parse.
const MARKED_NAMES: ReadonlyMap<string, string> = new Map(
  ["xml", "ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId", "AgentID", "Event", "EventKey", "Encrypt"].map(
    (name) => [name, NAME_MARK + name],
  ),
);

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
  // Not asked, as no entity is processed; without one the parser makes its own for each document.
  entityDecoder: { decode: (text) => text, reset() {}, addInputEntities() {}, setExternalEntities() {}, setXmlVersion() {} },
  textNodeName: TEXT,
  cdataPropName: CDATA,
  maxNestedTags: DEPTH_MAX,
  jPath: false,
  // fast-xml-parser refuses <__proto__> and <constructor> and renames <toString>. Marked, no name is special. It asks twice for an
  // empty-element tag, hence the test.
  transformTagName: (name) => MARKED_NAMES.get(name) ?? (name.startsWith(NAME_MARK) ? name : NAME_MARK + name),
});

/** A node of fast-xml-parser's ordered form: one key, a text or the children. */
type OrderedNode = { [key: string]: string | OrderedNode[] };

/**
 * Reads a callback body: one `xml` element, any BOM, declaration, comment or attribute ignored. Characters illegal in XML are dropped,
 * NUL among them, and U+FFFD stands for what is not UTF-8: clients have sent both inside genuine messages, which must not be lost.
 * @throws DecodeError XML_INVALID when it has a DOCTYPE or another declaration, is not well-formed, has another root, or exceeds the
 * limits. The text never quotes the body, which is a customer's.
 */
export function parseXml(bytes: Buffer | string, elementsMax = ELEMENTS_MAX): XmlElement {
  const document = toLegalXml(bytes.toString()).replace(/^\uFEFF/, "");
  requireFewElements(document, elementsMax);
  requireWellFormed(document);
  const [root, ...others] = parse(document).filter((node) => typeof node[TEXT] !== "string");
  const content = root?.[`${NAME_MARK}xml`];
  if (!Array.isArray(content) || others.length > 0) throw invalidXml("its only root is not <xml>");
  return toElement("xml", content);
}

/** The first direct child of that name. Nested elements of the same name are other things, possibly a forger's. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((candidate) => candidate.name === name);
}

export function childText(element: XmlElement, name: string): string | undefined {
  return child(element, name)?.text;
}

/** The texts of the direct children that have no children, by name; the first of a name wins. Has no prototype. */
export function leafTexts(element: XmlElement): Record<string, string> {
  const texts: Record<string, string> = Object.create(null);
  for (const { name, text, children } of element.children) {
    if (children.length === 0) texts[name] ??= text;
  }
  return texts;
}

/** A CDATA section that says `text`, without the characters that XML cannot say. Readers see CR and CR LF as LF (w3.org/TR/xml/#sec-line-ends). */
export function cdata(text: string): string {
  return `<![CDATA[${toLegalXml(text).replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
}

/** `text` as element content outside CDATA, without the characters that XML cannot say. */
export function escapeText(text: string): string {
  return toLegalXml(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
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

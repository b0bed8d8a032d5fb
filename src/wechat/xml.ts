import { parseAnyXml } from "./parse-any-xml.ts";
import { scanXml } from "./scan-xml.ts";
import type { XmlElement } from "./xml-element.ts";
import { toDocument, toLegalXml } from "./xml-text.ts";

export type { XmlElement } from "./xml-element.ts";

// The longest callback known has some hundred elements.
const ELEMENTS_MAX = 5_000;

/**
 * Reads a callback body: one `xml` element, any BOM, declaration, comment or attribute ignored. Characters illegal in XML are dropped,
 * NUL among them, and U+FFFD stands for what is not UTF-8: clients have sent both inside genuine messages, which must not be lost.
 * @throws DecodeError XML_INVALID when it has a DOCTYPE or another declaration, is not well-formed, has another root, or exceeds the
 * limits. The text never quotes the body, which is a customer's.
 */
export function parseXml(bytes: Buffer | string): XmlElement {
  const document = toDocument(bytes);
  // Readers see CR and CR LF as LF (w3.org/TR/xml/#sec-line-ends), which is the parser's work.
  const scanned = document.includes("\r") ? null : scanXml(document, ELEMENTS_MAX);
  return scanned ?? parseAnyXml(document, ELEMENTS_MAX);
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

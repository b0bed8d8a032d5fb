import { XMLValidator } from "fast-xml-parser";
import { invalidXml } from "./xml-text.ts";

/**
 * Refuses what a parser cannot be trusted with.
 * @throws DecodeError XML_INVALID when it has a DOCTYPE or another declaration, or is not well-formed
 */
export function requireWellFormed(document: string): void {
  requireNoDeclaration(document);
  // fast-xml-parser's parser alone closes elements by any end tag; its validator holds start and end tags against each other.
  const verdict = XMLValidator.validate(document);
  if (verdict !== true) throw invalidXml(`it is not well-formed at line ${verdict.err.line ?? 1}, column ${verdict.err.col ?? 1}`);
}

/**
 * Only CDATA and comments may begin with "<!". A customer may well type "<!DOCTYPE", which stands in CDATA and is skipped with it.
 * A declaration that hides from this scan, in a comment that really is an attribute, still declares nothing: entities are never expanded.
 */
function requireNoDeclaration(document: string): void {
  for (const [markup] of document.matchAll(/<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<!/g)) {
    if (markup === "<!") throw invalidXml("it has a DOCTYPE or another declaration, or an open CDATA section or comment");
  }
}

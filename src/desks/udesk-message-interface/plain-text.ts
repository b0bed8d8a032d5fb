import { decodeEntities } from "./html-entities.ts";
import { htmlToText } from "./html-to-text.ts";

/**
 * The readable form of a text that may be HTML; only its tags and entities tell. A text is HTML when it has a tag that a text editor
 * makes or an entity that agents do not type. Any other text is plain and stays unchanged: "a < b" and "1 &lt; 2" are then what the
 * agent typed.
 */
export function toPlainText(text: string): string {
  if (hasTags(text) || hasComment(text)) return htmlToText(text);
  return WRITTEN_BY_EDITORS.test(text) ? decodeEntities(text) : text;
}

/** An agent who explains HTML types `&lt;`, `&gt;`, `&amp;` or `&quot;`; only an editor writes a blank, a dash or a number this way. */
const WRITTEN_BY_EDITORS =
  /&(?:nbsp|ensp|emsp|thinsp|zwnj|zwj|[lr]dquo|[lr]squo|bdquo|sbquo|[lr]aquo|[mn]dash|hellip|yen|middot|bull|copy|reg|trade|times|divide|deg|#\d{1,7}|#x[0-9a-f]{1,6});/i;

/** No agent types one. Searched for by hand: a pattern would read the rest of the text anew at each "<!--" that nothing ends. */
function hasComment(text: string): boolean {
  const start = text.indexOf("<!--");
  return start !== -1 && text.includes("-->", start);
}

const NAMES =
  "a|p|br|hr|div|span|b|strong|i|em|u|s|del|ins|strike|small|big|sub|sup|font|center|ul|ol|li|dl|dt|dd|img|h[1-6]|blockquote|pre|section|figure|table|thead|tbody|tfoot|tr|td|th|caption|video|audio|picture|iframe|script|style|meta|html|body|o:p";
const TAG = new RegExp(`</?(?:${NAMES})(\\s[^<>]*)?/?>`, "gi");

/** What stands behind a name has to be attributes: "a <b and c> d" is no HTML. */
function hasTags(text: string): boolean {
  for (const [, behind = ""] of text.matchAll(TAG)) {
    if (/^\s*\/?$/.test(behind) || behind.includes("=")) return true;
  }
  return false;
}

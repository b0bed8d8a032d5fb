import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";

/** Hears of a piece of HTML in its order: texts as they stand, tags by their lower-case names. */
export interface HtmlListener {
  text(text: string): void;
  open(name: string, attributes: ReadonlyMap<string, string>): void;
  close(name: string): void;
  /** A comment or a declaration: a browser shows neither. */
  hidden(): void;
}

/**
 * Reads HTML of any depth in time that grows with its length: the library's tokenizer alone, for its parser searches the stack of open
 * elements at every tag. A tag that never ends, because a quote is missing, would swallow the rest of the message: it ends at its
 * first ">".
 */
export function readHtml(html: string, listener: HtmlListener): void {
  let rest = html;
  while (rest !== "") {
    const open = rest.slice(readTokens(rest, listener));
    const end = open.indexOf(">");
    if (end === -1) listener.text(open);
    else listener.hidden();
    rest = end === -1 ? "" : open.slice(end + 1);
  }
}

/** @returns up to where it was understood: the start of the tag that does not end, or the whole length */
function readTokens(html: string, listener: HtmlListener): number {
  let readTo = 0;
  let textFrom: number | null = null;
  let tag = { name: "", attributes: new Map<string, string>() };
  let attribute = "";

  // A "<" that starts no tag comes as a text of its own; the pieces belong together.
  const endText = () => {
    if (textFrom !== null) listener.text(html.slice(textFrom, readTo));
    textFrom = null;
  };
  const open = (endIndex: number) => {
    readTo = endIndex + 1;
    listener.open(tag.name, tag.attributes);
  };
  const hide = (endIndex: number) => {
    endText();
    readTo = endIndex + 1;
    listener.hidden();
  };
  const callbacks: TokenizerCallbacks = {
    ontext: (start, endIndex) => {
      textFrom ??= start;
      readTo = endIndex;
    },
    ontextentity: () => {},
    onopentagname: (start, endIndex) => {
      endText();
      tag = { name: html.slice(start, endIndex).toLowerCase(), attributes: new Map() };
    },
    onattribname: (start, endIndex) => {
      attribute = html.slice(start, endIndex).toLowerCase();
    },
    onattribdata: (start, endIndex) => {
      if (!tag.attributes.has(attribute)) tag.attributes.set(attribute, html.slice(start, endIndex));
    },
    onattribentity: () => {},
    onattribend: () => {},
    onopentagend: open,
    onselfclosingtag: open,
    onclosetag: (start, endIndex) => {
      endText();
      const end = html.indexOf(">", endIndex);
      readTo = end === -1 ? html.length : end + 1;
      listener.close(html.slice(start, endIndex).toLowerCase());
    },
    oncomment: (_start, endIndex) => hide(endIndex),
    oncdata: (_start, endIndex) => hide(endIndex),
    ondeclaration: (_start, endIndex) => hide(endIndex),
    onprocessinginstruction: (_start, endIndex) => hide(endIndex),
    onend: endText,
  };
  const tokenizer = new Tokenizer({ decodeEntities: false }, callbacks);
  tokenizer.write(html);
  tokenizer.end();
  return Math.min(readTo, html.length);
}

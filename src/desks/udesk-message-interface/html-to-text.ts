import { decodeEntities } from "./html-entities.ts";

/**
 * What a person reads in a piece of HTML: links as `text (address)`, pictures as their address, paragraphs as lines. A text without
 * any mark-up comes out as it went in, so it does no harm where HTML is only possible.
 */
export function htmlToText(html: string): string {
  const writer = new Writer();
  // Every other piece is a tag. A "<" that starts none, as in "a < b", stays text.
  html.split(/(<[!/a-z][^<>]*>)/i).forEach((piece, index) => {
    if (index % 2 === 1) writer.tag(piece);
    else writer.text(piece);
  });
  return writer.result();
}

const BLOCKS: ReadonlySet<string> = new Set([
  "p",
  "div",
  "li",
  "ul",
  "ol",
  "tr",
  "table",
  "blockquote",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
]);
const UNSEEN: ReadonlySet<string> = new Set(["script", "style"]);

class Writer {
  #parts: string[] = [];
  #isLineStart = true;
  #sawTag = false;
  #unseen: string | null = null;
  #link: { firstPart: number; href: string } | null = null;

  text(piece: string): void {
    if (this.#unseen !== null) return;
    // A line break between two tags is how the source was laid out, not something to read.
    if (this.#sawTag && piece.includes("\n") && piece.trim() === "") return;
    this.#add(decodeEntities(piece));
  }

  tag(piece: string): void {
    this.#sawTag = true;
    const isEnd = piece.startsWith("</");
    const name = /[a-z0-9]+/i.exec(piece)?.[0].toLowerCase() ?? "";
    if (this.#unseen !== null) {
      if (isEnd && name === this.#unseen) this.#unseen = null;
    } else if (UNSEEN.has(name)) {
      if (!isEnd) this.#unseen = name;
    } else if (name === "br") {
      this.#add("\n");
    } else if (name === "img") {
      this.#add(toAddress(attribute(piece, "src")));
    } else if (name === "a") {
      this.#endLink();
      if (!isEnd) this.#link = { firstPart: this.#parts.length, href: toAddress(attribute(piece, "href")) };
    } else if (BLOCKS.has(name) && !this.#isLineStart) {
      this.#add("\n");
    }
  }

  result(): string {
    this.#endLink();
    const text = this.#parts.join("");
    return this.#sawTag ? text.trim() : text;
  }

  #add(text: string): void {
    if (text === "") return;
    this.#parts.push(text);
    this.#isLineStart = text.endsWith("\n");
  }

  #endLink(): void {
    if (this.#link === null) return;
    const { firstPart, href } = this.#link;
    this.#link = null;
    const label = this.#parts.slice(firstPart).join("").trim();
    if (href === "" || label === href) return;
    this.#add(label === "" ? href : ` (${href})`);
  }
}

function attribute(tag: string, name: string): string {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i").exec(tag);
  return decodeEntities(match?.[1] ?? match?.[2] ?? match?.[3] ?? "").trim();
}

/** Addresses that a contact can follow; `javascript:`, `data:` and the like are left out. */
function toAddress(value: string): string {
  return /^(https?:|\/\/|mailto:|tel:)/i.test(value) ? value : "";
}

import { toAddress } from "./html-address.ts";
import { decodeEntities } from "./html-entities.ts";
import { HtmlLists } from "./html-lists.ts";
import { type HtmlListener, readHtml } from "./html-tokens.ts";
import { TextLines } from "./text-lines.ts";

/**
 * The visible text of a piece of HTML: links as `text (address)`, pictures and films as their address, paragraphs as lines, lists with
 * bullets or numbers, a table's row as a line. A text without mark-up stays unchanged, so this is safe for a text that may or may not
 * be HTML.
 */
export function htmlToText(html: string): string {
  const writer = new Writer();
  readHtml(html, writer);
  return writer.result();
}

const BLOCKS = new Set(
  (
    "address article aside blockquote caption center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 " +
    "header hr legend main menu nav option p pre section summary table tbody tfoot thead"
  ).split(" "),
);
const LISTS = new Set(["ul", "ol"]);
/** Elements whose content a browser does not show as text. */
const UNSEEN = new Set(["script", "style", "title", "head", "template", "iframe", "noembed", "noframes"]);
/** Every other tag ends a head that was left open. */
const IN_HEAD = new Set(["meta", "link", "base", "basefont", "bgsound", "noscript", ...UNSEEN]);

/** For a contact in China, in place of what is in the message itself and so has no address. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["img", "图片"],
  ["video", "视频"],
  ["audio", "音频"],
]);

type Attributes = Parameters<HtmlListener["open"]>[1];

class Writer implements HtmlListener {
  readonly #lines = new TextLines();
  readonly #lists = new HtmlLists();
  #sawTag = false;
  #unseen: string | null = null;
  #link: { from: number; address: string } | null = null;
  /** The film or sound whose address is still to come, in a `source`. */
  #waiting: string | null = null;

  text(text: string): void {
    if (this.#unseen !== null) return;
    // Blanks and line breaks between two tags are how the source was laid out: one blank at most.
    if (this.#sawTag && /^[ \t\n\f\r]*$/.test(text)) this.#lines.space();
    else this.#lines.add(decodeEntities(text));
  }

  open(name: string, attributes: Attributes): void {
    this.#sawTag = true;
    if (this.#unseen === "head" && !IN_HEAD.has(name)) this.#unseen = null;
    if (this.#unseen !== null) return;
    if (UNSEEN.has(name)) this.#unseen = name;
    if (name === "a") this.#startLink(attributes);
    else if (name === "br") this.#lines.breakLine();
    else if (name === "tr") this.#lines.startRow();
    else if (name === "td" || name === "th") this.#lines.startCell();
    else if (name === "li") this.#lines.startItem(this.#lists.nextBullet(attributes));
    else if (LISTS.has(name) || BLOCKS.has(name)) this.#lines.endLine();
    else this.#openMedia(name, attributes);
    if (LISTS.has(name)) this.#lists.open(name, attributes);
  }

  close(name: string): void {
    this.#sawTag = true;
    if (this.#unseen !== null) {
      if (name === this.#unseen) this.#unseen = null;
      return;
    }
    if (name === "a") this.#endLink();
    else if (name === "br") this.#lines.breakLine();
    else if (name === "li") this.#lines.endItem();
    else if (name === "td" || name === "th") this.#lines.endCell();
    else if (LISTS.has(name) || BLOCKS.has(name) || name === "tr") this.#lines.endLine();
    if (LISTS.has(name)) this.#lists.close();
    if (name === this.#waiting) this.#waiting = null;
  }

  hidden(): void {
    this.#sawTag = true;
  }

  result(): string {
    this.#endLink();
    const text = this.#lines.toString();
    return this.#sawTag ? text.trim() : text;
  }

  #openMedia(name: string, attributes: Attributes): void {
    if (name === "img") this.#show("img", attributes);
    else if (name === "iframe" || name === "embed" || name === "object") this.#show("video", attributes);
    else if (name === "video" || name === "audio") this.#waiting = this.#show(name, attributes) ? null : name;
    else if (name === "source" && this.#waiting !== null && this.#show(this.#waiting, attributes)) this.#waiting = null;
  }

  /** @returns false where no address is given */
  #show(name: string, attributes: Attributes): boolean {
    // Pages that load their pictures late have a picture of one dot in `src`.
    const given = ["src", "data-src", "data"].map((source) => read(attributes, source)).filter((address) => address !== "");
    if (given.length === 0) return false;
    const address = given.map(toAddress).find((followed) => followed !== "");
    if (address !== undefined) this.#lines.addWord(address);
    else this.#lines.add(`[${[WORDS.get(name), read(attributes, "alt")].filter(Boolean).join(" ")}]`);
    return true;
  }

  /** A link that begins in another one ends it. */
  #startLink(attributes: Attributes): void {
    this.#endLink();
    this.#link = { from: this.#lines.length, address: toAddress(read(attributes, "href")) };
  }

  #endLink(): void {
    if (this.#link === null) return;
    const { from, address } = this.#link;
    this.#link = null;
    const label = this.#lines.since(from).trim();
    if (address === "" || label === address) return;
    if (label === "") this.#lines.addWord(address);
    else this.#lines.attach(` (${address})`);
  }
}

function read(attributes: Attributes, name: string): string {
  return decodeEntities(attributes.get(name) ?? "").trim();
}

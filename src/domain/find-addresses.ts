/** A stretch of a text, in UTF-16 units. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Characters of an address: ASCII but for blanks, quotes and angle brackets, and accented Latin, Greek and Cyrillic letters. Chinese
 * and full-width punctuation end it, since both are written right behind an address, without a blank.
 */
const IN = "[!#-;=?-~\\u00C0-\\u024F\\u0370-\\u052F]";

/**
 * Addresses that chats make links of. Well-known schemes may be glued to the word before them; other schemes and bare names begin
 * where no such letter stands before.
 */
const ADDRESS = new RegExp(
  [
    `(?:https?|ftps?|wss?|weixin|wxwork|wechat|alipays?)://${IN}+`,
    `(?<![\\w.+-])[a-z][a-z0-9.+-]{1,30}://${IN}+`,
    `(?:mailto|tel|sms):${IN}+`,
    "(?<![\\w.+-])[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+",
    `(?<![\\w@.-])[\\w-]+(?:\\.[\\w-]+)+(?::\\d+)?(?:[/?#]${IN}*)?`,
  ].join("|"),
  "gi",
);

/** Characters that end a sentence rather than an address; brackets too, when the address with them would not fit. */
const TRAILING = /[!'),.:;?\]}]+$/;

/** The addresses in `text` that fit into `bytesMax` bytes of UTF-8 each, in their order. */
export function findAddresses(text: string, bytesMax: number): Span[] {
  const spans: Span[] = [];
  for (const { 0: found, index: start } of text.matchAll(ADDRESS)) {
    const address = [found, found.replace(TRAILING, "")].find((candidate) => Buffer.byteLength(candidate) <= bytesMax);
    if (address !== undefined) spans.push({ start, end: start + address.length });
  }
  return spans;
}

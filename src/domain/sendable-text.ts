/**
 * `text` without the characters that XML 1.0 forbids (w3.org/TR/xml/#charsets), half surrogate pairs among them. A passive reply
 * cannot carry them, and a platform's parser that meets one refuses the whole document; so no text that is stored has any.
 */
export function toSendableText(text: string): string {
  // Reads by code units, which takes a fraction of the time; what may have something to take out, every emoji too, is read again.
  if (!/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/.test(text)) return text;
  return text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "");
}

/**
 * Whether a person sees nothing in it: blanks, control characters, marks without width (a zero-width space, a joiner, a byte order
 * mark) and Braille's blank. To such a text a platform answers that it is empty, or shows the contact an empty bubble.
 */
export function isBlank(text: string): boolean {
  return !/[^\s\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800]/u.test(text);
}

/*
 * Every text says which one it is: `«m4.17»` is what customer 4 wrote as their seventeenth message, `«r4.17»` the seventeenth
 * reply to them, `«n4.17»` the desk's seventeenth notice. A long reply, which leaves in parts, has a token at either end.
 * So a text is found again however it was joined with others or split.
 */

export function toInboundText(customer: number, number: number, filler: string): string {
  return `«m${customer}.${number}»${filler === "" ? "" : ` ${filler}`}`;
}

/** Above every platform's limit of one text. */
const LONG_LINES = 60;

export function toReplyText(customer: number, number: number, { isLong, filler }: { isLong: boolean; filler: string }): string {
  const token = `«r${customer}.${number}»`;
  if (!isLong) return `${token} ${filler}`.trimEnd();
  const lines = Array.from({ length: LONG_LINES }, (_, line) => `${line + 1}. 很长的回复，分成几部分。 a line of a long answer`);
  return [token, ...lines, `«/r${customer}.${number}»`].join("\n");
}

export function toNoticeText(customer: number, number: number, turn: number): string {
  return `«n${customer}.${number}» ${turn === 0 ? "Lily is serving you!" : `${turn} customers before you`}`;
}

/** The tokens in a text, in order. */
export function findTokens(text: string): string[] {
  return [...text.matchAll(/«\/?[mrn]\d+\.\d+»/g)].map(([token]) => token);
}

/** The customer and the number in the first token. */
export function readToken(text: string): { customer: number; number: number } | null {
  const found = /«\/?[mrn](\d+)\.(\d+)»/.exec(text);
  return found === null ? null : { customer: Number(found[1]), number: Number(found[2]) };
}

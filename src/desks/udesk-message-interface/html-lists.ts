/** Deeper ones are not told apart: a million levels would otherwise make a text that grows with their square. */
const INDENT_LEVELS_MAX = 8;

/** The lists that are open at a place in HTML, and what their next item begins with. */
export class HtmlLists {
  /** The next number of each; null where items have none. */
  #open: (number | null)[] = [];

  open(name: string, attributes: ReadonlyMap<string, string>): void {
    this.#open.push(name === "ol" ? (toNumber(attributes.get("start")) ?? 1) : null);
  }

  close(): void {
    this.#open.pop();
  }

  nextBullet(attributes: ReadonlyMap<string, string>): string {
    const indent = "  ".repeat(Math.min(Math.max(this.#open.length - 1, 0), INDENT_LEVELS_MAX));
    const next = this.#open.at(-1) ?? null;
    if (next === null) return `${indent}• `;
    const number = toNumber(attributes.get("value")) ?? next;
    this.#open[this.#open.length - 1] = number + 1;
    return `${indent}${number}. `;
  }
}

function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*-?\d{1,9}\s*$/.test(text) ? Number(text) : undefined;
}

/** Columns side by side, each as wide as its widest cell; what is wide in a terminal (Chinese, emoji) counts twice. */
export function toTable(titles: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const lines = [titles, ...rows.map((row) => row.map(toCell))].map((line) => line.map(String));
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => toWidth(line[column] ?? ""))));
  return lines
    .map((line) => line.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - toWidth(cell))).join("  "))
    .join("\n")
    .replace(/ +$/gm, "");
}

/** Names on the left, values on the right. */
export function toList(entries: readonly (readonly [name: string, value: unknown])[]): string {
  const width = Math.max(0, ...entries.map(([name]) => toWidth(name)));
  return entries.map(([name, value]) => `${name}${" ".repeat(width - toWidth(name))}  ${toCell(value)}`.trimEnd()).join("\n");
}

/** One line, whatever a customer wrote: control characters would move the cursor of whoever reads. */
function toCell(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value).replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}

export function shorten(text: string, charactersMax: number): string {
  const characters = [...text];
  return characters.length <= charactersMax ? text : `${characters.slice(0, charactersMax - 1).join("")}…`;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

export function toWidth(text: string): number {
  return [...text].reduce((width, character) => width + (/\p{Mn}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1), 0);
}

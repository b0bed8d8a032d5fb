/** Editors on Windows begin a file with this mark, which would become part of the first name or value in it. */
export function withoutBom(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

import type { Content } from "./content.ts";
import { fittingLength } from "./split-text.ts";

/** What of a content goes out at once. */
export interface Part {
  content: Content;
  /** Where the next part begins, in UTF-16 units; undefined when this is the last. */
  progress?: number;
}

/** The part of `content` that begins at `progress` and fits the limit. Only texts have more than one. */
export function toPart(content: Content, progress: number, textBytesMax: number): Part {
  if (content.type !== "text") return { content };
  const rest = content.text.slice(progress);
  const length = fittingLength(rest, textBytesMax);
  const part: Content = { type: "text", text: rest.slice(0, length) };
  return length === rest.length ? { content: part } : { content: part, progress: progress + length };
}

import type { PassiveChannel } from "../domain/channel.ts";
import { type Content, toTextContent } from "../domain/content.ts";
import type { ClaimedEntry } from "../domain/outbox.ts";
import { type Part, toPart } from "../domain/text-part.ts";

/** What one passive reply says, and the entries that are out with it. */
export interface Bundle extends Part {
  entries: [ClaimedEntry, ...ClaimedEntry[]];
}

/**
 * What of these waiting replies, taken in order, rides on one response: the first, and behind a text as many further texts as fit,
 * where this response is their only way. Replies that can be sent asynchronously are not pressed into one bubble.
 */
export function toBundle(entries: ClaimedEntry[], channel: PassiveChannel, canSendAsync: boolean): Bundle | null {
  const [first, ...rest] = entries;
  if (first === undefined) return null;
  const toFitting = (content: Content) => (canSendAsync || channel.canRender(content) ? content : toTextContent(content));
  const bundle: Bundle = { ...toPart(toFitting(first.message.content), first.progress, channel.passiveTextBytesMax), entries: [first] };
  for (const entry of rest) {
    const joined = join(bundle, toFitting(entry.message.content), channel.passiveTextBytesMax);
    const isOnlyWay = !canSendAsync || entry.message.state === "held";
    if (joined === null || !isOnlyWay || entry.begun !== null || entry.progress > 0) break;
    bundle.content = joined;
    bundle.entries.push(entry);
  }
  return bundle;
}

/** Null when it is not whole texts that would stand below each other, or they do not fit. */
function join({ content, progress }: Bundle, next: Content, bytesMax: number): Content | null {
  if (content.type !== "text" || next.type !== "text" || progress !== undefined) return null;
  const text = `${content.text}\n${next.text}`;
  return Buffer.byteLength(text) <= bytesMax ? { type: "text", text } : null;
}

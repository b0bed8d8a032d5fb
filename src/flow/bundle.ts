import type { PassiveChannel } from "../domain/channel.ts";
import { type Content, toTextContent } from "../domain/content.ts";
import type { QueuedMessage } from "../domain/queue.ts";
import { type Part, toPart } from "../domain/text-part.ts";

/** The content of one passive reply, and the messages that are out with it. */
export interface Bundle extends Part {
  messages: [QueuedMessage, ...QueuedMessage[]];
}

/**
 * What of these waiting replies, taken in order, rides on one response: the first, and behind a text as many further texts as fit,
 * where this response is their only way. Replies that can be sent asynchronously are not pressed into one bubble.
 */
export function toBundle(waiting: QueuedMessage[], channel: PassiveChannel, canSendAsync: boolean): Bundle | null {
  const [first, ...rest] = waiting;
  if (first === undefined) return null;
  const toFitting = (content: Content) => (canSendAsync || channel.canRender(content) ? content : toTextContent(content));
  const bundle: Bundle = { ...toPart(toFitting(first.message.content), first.progress, channel.passiveTextBytesMax), messages: [first] };
  for (const queued of rest) {
    const joined = join(bundle, toFitting(queued.message.content), channel.passiveTextBytesMax);
    const isOnlyWay = !canSendAsync || queued.message.state === "held";
    if (joined === null || !isOnlyWay || queued.begun !== null || queued.progress > 0) break;
    bundle.content = joined;
    bundle.messages.push(queued);
  }
  return bundle;
}

/** Null when it is not whole texts that would stand below each other, or they do not fit. */
function join({ content, progress }: Bundle, next: Content, bytesMax: number): Content | null {
  if (content.type !== "text" || next.type !== "text" || progress !== undefined) return null;
  const text = `${content.text}\n${next.text}`;
  return Buffer.byteLength(text) <= bytesMax ? { type: "text", text } : null;
}

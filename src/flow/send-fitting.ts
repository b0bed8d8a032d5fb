import type { Channel } from "../domain/channel.ts";
import { type Content, toReadableText, toTextContent } from "../domain/content.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { QueuedMessage } from "../domain/queue.ts";
import { type Part, toPart } from "../domain/text-part.ts";

/** A platform that refuses so few bytes does not mean their number. */
export const PART_BYTES_MIN = 128;

export interface SendFittingDeps {
  channel: Channel;
  send: (part: Part) => Promise<Outcome>;
  /** Before another try: renews the lease. False when the queue has passed to another holder. */
  renew: () => Promise<boolean>;
}

/**
 * Sends a part, and half of it while the platform refuses it as too long. A refused part has not reached the contact, so no text is sent
 * twice. The rest is sent as the next part, from the progress that is stored with this one.
 * @returns the part that the outcome is of, with a note where it is not the first; null when the queue has passed to another holder
 */
export async function sendFitting(
  first: Part,
  queued: QueuedMessage,
  { channel, send, renew }: SendFittingDeps,
): Promise<{ part: Part; outcome: Outcome; note?: string } | null> {
  const refusedBytes: number[] = [];
  for (let part = first; ; ) {
    const outcome = await send(part);
    if (outcome.kind !== "rejected" || !outcome.isTooLong) return { part, outcome, ...toNote(refusedBytes) };
    refusedBytes.push(toBytes(part.content));
    const smaller = toSmaller(part, queued, channel.asyncTextBytesMax);
    if (smaller === null) return { part, outcome: { ...outcome, detail: `${outcome.detail}; ${toSizes(refusedBytes)}` } };
    if (!(await renew())) return null;
    part = smaller;
  }
}

/** Null when there is nothing smaller to send. A link or news becomes a text first. */
function toSmaller({ content }: Part, queued: QueuedMessage, textBytesMax: number): Part | null {
  if (content.type !== "text" && content.type !== "link" && content.type !== "news") return null;
  const bytesMax = content.type === "text" ? Math.floor(toBytes(content) / 2) : textBytesMax;
  return bytesMax < PART_BYTES_MIN ? null : toPart(toTextContent(queued.message.content), queued.progress, bytesMax);
}

function toBytes(content: Content): number {
  return Buffer.byteLength(toReadableText(content));
}

function toNote(refusedBytes: number[]): { note?: string } {
  return refusedBytes.length === 0 ? {} : { note: `sent in smaller parts: ${toSizes(refusedBytes)}` };
}

function toSizes(refusedBytes: number[]): string {
  return `refused as too long: ${refusedBytes.join(", ")} bytes`;
}

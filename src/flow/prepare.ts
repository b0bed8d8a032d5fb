import { type Channel, canUpload } from "../domain/channel.ts";
import { toTextContent } from "../domain/content.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { QueuedMessage } from "../domain/queue.ts";
import { type Part, toPart } from "../domain/text-part.ts";

/** So many failed tries are waited for before media go out as a link. */
const FETCHES_MAX = 3;

/** The next part to send of a message, or the reason why nothing is sent now. */
export type Prepared = ReadyPart | { outcome: Outcome };

export interface ReadyPart {
  part: Part;
  /** Why it is not what the agent sent. */
  note?: string;
  /** Its media id was made by this try. */
  isUploaded?: true;
}

/**
 * Gives the content a form that the platform takes: as it is, uploaded, or as readable text with a link. Everything here happens
 * before the begin mark, and nothing of it reaches the contact: failing and repeating it is harmless.
 */
export async function prepare(channel: Channel, queued: QueuedMessage, signal: AbortSignal): Promise<Prepared> {
  const { content } = queued.message;
  const text = { part: toPart(toTextContent(content), queued.progress, channel.asyncTextBytesMax) };
  // Of a text a part is out already: it stays a text.
  if (queued.progress > 0) return text;
  if (channel.canSend(content)) return { part: toPart(content, 0, channel.asyncTextBytesMax) };
  if (!canUpload(channel) || !channel.canPrepare(content)) return text;

  const prepared = await channel.prepare(content, signal);
  switch (prepared.kind) {
    case "ready":
      return { part: { content: prepared.content }, isUploaded: true };
    case "unfit":
      return { ...text, note: toNote(prepared) };
    case "unreachable": {
      const { code, detail } = prepared;
      if (queued.failures + 1 < FETCHES_MAX) return { outcome: { kind: "retry", code, detail } };
      return { ...text, note: toNote(prepared) };
    }
    case "stopped":
      return { outcome: prepared.outcome };
  }
}

function toNote({ code, detail }: { code: string; detail: string }): string {
  return `sent as a link: ${code}: ${detail}`;
}

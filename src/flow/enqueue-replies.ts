import type { Deliver, Reserve } from "../domain/delivery.ts";
import { type Signals, SOMETHING } from "../domain/signals.ts";
import type { NewReplies, OutboundStore, StoredReply } from "../domain/store.ts";

export interface EnqueueDeps {
  outbound: OutboundStore;
  signals: Signals;
  deliver: Deliver;
  reserve: Reserve;
}

/**
 * Stores replies to one contact and has them relayed at once: by a callback that is open, from memory where a slot is free, else by whichever
 * worker claims the queue. Durable when it returns; repeated, it stores nothing new.
 */
export async function enqueueReplies(replies: NewReplies, { outbound, signals, deliver, reserve }: EnqueueDeps): Promise<StoredReply[]> {
  const { conversationId, accountId } = replies;
  const queue = { conversationId, accountId, direction: "outbound" } as const;
  const slot = reserve({ accountId, direction: "outbound" });
  try {
    const stored = await outbound.enqueue({ ...replies, holder: slot?.holder ?? null });
    signals.notify(conversationId, SOMETHING);
    if (stored.claim !== null) slot?.work(stored.claim);
    else {
      slot?.giveBack();
      // A callback that is open here takes the reply, or has it delivered when it ends.
      if (!signals.isAwaited(conversationId)) deliver(queue);
    }
    return stored.replies;
  } catch (error) {
    slot?.lose(queue);
    throw error;
  }
}

import type { Deliver } from "../domain/delivery.ts";
import type { CallbackQueue } from "../domain/store.ts";
import type { Received } from "./receive.ts";

/** This callback takes no reply any more: replies that wait for it, and later ones, go another way. Repeated, it changes nothing. */
export async function endReservation(
  { conversationId, accountId, openUntil, changes }: Received,
  { queues, deliver }: { queues: Pick<CallbackQueue, "closeCallback">; deliver: Deliver },
): Promise<void> {
  changes?.close();
  if (openUntil === null) return;
  const { isWaiting } = await queues.closeCallback({ conversationId, openUntil });
  if (isWaiting) deliver({ conversationId, accountId, direction: "outbound" });
}

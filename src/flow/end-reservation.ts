import type { Deliver } from "../domain/delivery.ts";
import type { OutboxStore } from "../domain/store.ts";
import type { Received } from "./receive.ts";

/** Nobody waits on this callback for a reply any more: what comes now, or waits for it, goes another way. Repeated, it changes nothing. */
export async function endReservation(
  { conversationId, accountId, openUntil, changes }: Received,
  { outbox, deliver }: { outbox: OutboxStore; deliver: Deliver },
): Promise<void> {
  changes?.close();
  if (openUntil === null) return;
  const { isWaiting } = await outbox.closeCallback({ conversationId, openUntil });
  if (isWaiting) deliver({ conversationId, accountId, direction: "outbound" });
}

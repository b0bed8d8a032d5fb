import type { Deliver } from "../domain/delivery.ts";
import type { OutboxStore } from "../domain/store.ts";
import type { Received } from "./receive.ts";

/** Nobody waits on this callback for a reply any more: what comes now, or waits for it, goes another way. Repeated, it changes nothing. */
export async function endReservation(
  { conversationId, openUntil }: Pick<Received, "conversationId" | "openUntil">,
  { outbox, deliver }: { outbox: OutboxStore; deliver: Deliver },
): Promise<void> {
  if (openUntil === null) return;
  await outbox.closeCallback({ conversationId, openUntil });
  deliver({ conversationId, direction: "outbound" });
}

import type { Books, CustomerBook, Span, StoredMessage } from "./books.ts";
import { toExplained } from "./faults.ts";
import type { CustomerPlan, Plan } from "./plan.ts";
import type { Traffic } from "./traffic.ts";
import type { World } from "./world.ts";

interface ShownConversation {
  id: string;
  pending: { toDesk: number; toCustomer: number };
  reply: { held: number };
}

type ShownMessage = Omit<StoredMessage, "settledAt"> & { settledAt: string | null };

/** How long after the database is back WeChat's tries may still fail: sessions are made again, and the work has piled up. */
const RECOVERY_MS = 8_000;

/** Opens all books: the emulators', the customers' and agents' own, and what the gateway's API says. */
export async function collect(plan: Plan, world: World, traffic: Traffic, databaseAway: readonly Span[], lagMsMax: number): Promise<Books> {
  const customers: CustomerBook[] = [];
  for (const customer of plan.customers) customers.push(await collectOne(customer, world, traffic));
  const troubles = databaseAway.map(({ from, to }) => ({ from, to: to + RECOVERY_MS }));
  return { customers, lagMsMax, troubles, explained: toExplained(plan) };
}

async function collectOne({ openId, kind }: CustomerPlan, { sides, api }: World, traffic: Traffic): Promise<CustomerBook> {
  const { id, desk, account } = sides[kind];
  const conversation = await api<ShownConversation>("GET", `/accounts/${id}/contacts/${openId}/conversation`);
  return {
    openId,
    sent: traffic.sentBy(openId),
    pushed: traffic.pushedTo(openId),
    atDesk: desk.received(openId).map(({ msgId, text = "", at }) => ({ msgId, text, at: at.getTime() })),
    seen: account.seenBy(openId).map(({ way, type, text = "", at }) => ({ way, isFailure: type === "failure", text, at: at.getTime() })),
    stored: await listMessages(conversation.id, api),
    pending: { toDesk: conversation.pending.toDesk, toCustomer: conversation.pending.toCustomer, held: conversation.reply.held },
  };
}

async function listMessages(conversationId: string, api: World["api"]): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api<{ items: ShownMessage[]; nextCursor: string | null }>(
      "GET",
      `/conversations/${conversationId}/messages?limit=200${after}`,
    );
    for (const item of page.items) messages.push({ ...item, settledAt: item.settledAt === null ? null : Date.parse(item.settledAt) });
    cursor = page.nextCursor;
  }
  return messages.reverse();
}

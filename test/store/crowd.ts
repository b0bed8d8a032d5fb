import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Direction } from "../../src/domain/message.ts";
import type { Claim } from "../../src/domain/queue.ts";
import type { Store } from "../../src/domain/store.ts";
import type { FlowStage } from "../flow/stage.ts";
import { enqueueReply, type ReplyChange } from "../support/reply.ts";

export const OPEN_IDS = Array.from({ length: 20 }, (_, index) => `o${index}`);

const LEASE_MS = 30_000;

/** Many contacts of one account, for what is done for several at once. */
export function crowdOf(stage: FlowStage) {
  const contact = (openId: string) => ({ conversationId: toConversationId("shop", openId), accountId: "shop", openId });

  const write = async (openId: string, text: string, store: Store = stage.opened.store): Promise<void> => {
    await store.inbound.record({
      ...contact(openId),
      messageId: newMessageId(new Date()),
      message: { openId, dedupeKey: `${openId} ${text}`, vendorMessageId: null, sentAt: new Date(), content: { type: "text", text } },
      forward: true,
      openForMs: 0,
      openForQueryMs: 0,
      allowance: null,
    });
  };

  const say = (openId: string, text: string, change: ReplyChange = {}, store: Store = stage.opened.store) =>
    enqueueReply(store, openId, text, { dedupeKey: `${openId} ${text}`, ...change });

  const claimAll = (direction: Direction, { holder = "worker-1", queuesMax = 100 } = {}): Promise<Claim[]> =>
    stage.opened.store.queues.claimDue({
      direction,
      holder,
      queuesMax,
      messagesMax: 10,
      leaseMs: LEASE_MS,
      roomOfEach: queuesMax,
      rooms: [],
    });

  const pendingOf = async (openId: string) =>
    (await stage.opened.store.conversations.get(contact(openId).conversationId, ALL_ACCOUNTS))?.pending;

  return { write, say, claimAll, pendingOf };
}

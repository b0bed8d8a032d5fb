import { afterEach, beforeEach } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import type { PassiveChannel } from "../../src/domain/channel.ts";
import type { Content } from "../../src/domain/content.ts";
import { newHolder, newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { Direction } from "../../src/domain/message.ts";
import type { Claim, QueuedMessage } from "../../src/domain/queue.ts";
import type { RecordedInbound } from "../../src/domain/store.ts";
import { enqueueReply } from "../support/reply.ts";
import { newAccount, openTestStore, TESTER, type TestStore } from "../support/store.ts";

export const CONTACT = { accountId: "shop", openId: "oA", conversationId: toConversationId("shop", "oA") };

/** The real store with one account, and hands for what the steps find in it. One for a file. */
export interface FlowStage {
  readonly opened: TestStore;
  /** A contact's message whose callback stays open. */
  write(text: string, openForMs?: number): Promise<RecordedInbound>;
  /** An agent's reply. */
  say(content: string | Content): Promise<string>;
  /** Claims the contact's queue of replies, or the queue to the desk. */
  claim(direction?: Direction): Promise<Claim>;
  stateOf(messageId: string): Promise<{ state: string | undefined; way: string | null | undefined }>;
}

export function useFlowStage(): FlowStage {
  let opened: TestStore;
  let counter = 0;
  beforeEach(async () => {
    opened = await openTestStore();
    await opened.store.accounts.create(newAccount("shop"), TESTER);
  });
  afterEach(() => opened.close());

  return {
    get opened() {
      return opened;
    },
    write: async (text, openForMs = 60_000) => {
      const message = {
        openId: CONTACT.openId,
        dedupeKey: text,
        vendorMessageId: null,
        sentAt: new Date(),
        content: { type: "text", text } as const,
      };
      const input = {
        ...CONTACT,
        messageId: newMessageId(new Date()),
        message,
        forward: true,
        openForMs,
        openForQueryMs: 0,
        allowance: null,
      };
      const recorded = await opened.store.inbound.record(input);
      return recorded;
    },
    say: async (content) => {
      const { messageId } = await enqueueReply(opened.store, CONTACT.openId, content, { dedupeKey: `push-${counter++}` });
      return messageId;
    },
    claim: async (direction = "outbound") => {
      const queue = { conversationId: CONTACT.conversationId, direction };
      const claim = await opened.store.queues.claimQueue(queue, { holder: newHolder("worker"), messagesMax: 10, leaseMs: 30_000 });
      if (claim === null) throw new Error(`the ${direction} queue is not due`);
      return claim;
    },
    stateOf: async (messageId) => {
      const found = await opened.store.conversations.message(messageId, ALL_ACCOUNTS);
      return { state: found?.message.state, way: found?.message.way };
    },
  };
}

export function head({ messages }: Claim): QueuedMessage {
  const [queued] = messages;
  if (queued === undefined) throw new Error("the claim has no messages");
  return queued;
}

/** A channel of plain texts, as short as a test likes. */
export function textChannel(change: Partial<PassiveChannel> = {}): PassiveChannel {
  const unused = () => {
    throw new Error("not part of this test");
  };
  return {
    verifyUrl: unused,
    open: unused,
    acknowledgement: "success",
    send: unused,
    canSend: ({ type }) => type === "text" || type === "image",
    asyncTextBytesMax: 2_048,
    replyAllowance: () => null,
    testKeys: unused,
    testAccess: unused,
    testPermission: unused,
    passiveTextBytesMax: 1_800,
    canRender: ({ type }) => type === "text",
    renderReply: (_to, content) => ({ contentType: "text/plain", body: content.type === "text" ? content.text : content.type }),
    ...change,
  };
}

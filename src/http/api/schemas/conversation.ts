import { z } from "zod";
import type { DeskStatus } from "../../../domain/conversation.ts";
import { givenMoment, pageQuery, shownMoment } from "./common.ts";
import { CONTACT_PATCH_EXAMPLES, CONVERSATION_EXAMPLES } from "./examples.ts";

const deskStatus = z.enum(["queueing", "chatting", "offline", "unknown"] satisfies DeskStatus[]);

export const shownConversation = z
  .object({
    id: z.string(),
    accountId: z.string(),
    openId: z.string().describe("The contact as WeChat names it."),
    status: deskStatus.describe("What the desk last said."),
    turn: z.int().nullable().describe("Place in the queue; 0 when chatting; null when there is no queue, or the place is not known."),
    agentName: z.string().nullable().describe("Who serves the contact; null when nobody does, or it is not known."),
    notice: z.string().nullable().describe("What the desk last meant for the customer."),
    statusAt: shownMoment.nullable(),
    contact: z.object({ nickname: z.string().nullable(), number: z.string().nullable(), email: z.string().nullable() }),
    lastInboundAt: shownMoment.nullable(),
    lastReplyAt: shownMoment.nullable(),
    reply: z
      .object({
        ways: z.array(z.enum(["passive", "async"])).describe("How a reply could leave right now; empty: it would be held."),
        windowClosesAt: shownMoment.nullable().describe("null: the platform sets no window."),
        remaining: z.int().nullable().describe("Asynchronous messages that the platform still takes; null: it does not count."),
        held: z.int().describe("Replies that wait for the contact's next message."),
      })
      .describe("Whether the contact can be answered."),
    pending: z.object({
      toDesk: z.int(),
      toCustomer: z.int(),
      dead: z.int().describe("Tried for 24 hours, or refused by the desk."),
      failed: z.int().describe("Replies that the platform will never take as they are."),
      uncertain: z.int().describe("Replies that the customer may have seen: the platform's answer was lost."),
    }),
  })
  .meta({ id: "Conversation", examples: CONVERSATION_EXAMPLES });

export type ShownConversation = z.output<typeof shownConversation>;

const searchText = z.string().min(1).max(200).optional();

export const conversationQuery = z.strictObject({
  accountId: searchText,
  status: deskStatus.optional(),
  agentName: searchText,
  q: searchText.describe("Part of openId, nickname, number, email or agent name."),
  updatedSince: givenMoment.optional(),
  ...pageQuery,
});

export const contactPatch = z
  .strictObject({
    contact: z
      .strictObject({
        nickname: z.string().min(1).max(100).nullable(),
        number: z.string().min(1).max(40).nullable(),
        email: z.email().max(254).nullable(),
      })
      .partial()
      .refine((contact) => Object.keys(contact).length > 0, "must hold nickname, number or email")
      .describe("Only what is given changes; null removes."),
  })
  .meta({ examples: CONTACT_PATCH_EXAMPLES });

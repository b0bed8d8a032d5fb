import { type Account, NOT_AUTHORISED } from "../../domain/account.ts";
import type { ConversationOverview } from "../../domain/conversation.ts";
import { toOtherApp } from "../../domain/other-app.ts";
import { toMoment } from "./schemas/common.ts";
import type { ShownConversation } from "./schemas/conversation.ts";

export function toShownConversation(conversation: ConversationOverview, account: Account | null, now: Date): ShownConversation {
  const { id, accountId, openId, status, turn, agentName, notice, contact } = conversation;
  const { held, ...pending } = conversation.pending;
  return {
    id,
    accountId,
    openId,
    status,
    turn,
    agentName,
    notice,
    statusAt: toMoment(conversation.statusAt),
    contact: { nickname: contact.nickname, number: contact.number, email: contact.email },
    lastInboundAt: toMoment(conversation.lastInboundAt),
    lastReplyAt: toMoment(conversation.lastReplyAt),
    reply: {
      ways: toWays(conversation, account, now),
      windowClosesAt: toMoment(conversation.windowClosesAt),
      remaining: conversation.repliesRemaining,
      held,
    },
    pending,
  };
}

function toWays(conversation: ConversationOverview, account: Account | null, now: Date): ShownConversation["reply"]["ways"] {
  if (!account?.enabled) return [];
  const { passiveOpen, windowClosesAt, repliesRemaining, addressedApp } = conversation;
  // WeCom knows no window; at an Official Account one is opened by what the contact does.
  const isWindowOpen = windowClosesAt === null ? account.kind === "wecom" : windowClosesAt > now;
  const isQuotaLeft = repliesRemaining === null || repliesRemaining > 0;
  const isAuthorised = account.warnings.every(({ code }) => code !== NOT_AUTHORISED);
  const isPermitted = account.replies.async && isAuthorised && toOtherApp(account, addressedApp) === null;
  const canSend = isPermitted && isWindowOpen && isQuotaLeft;
  return [...(passiveOpen ? (["passive"] as const) : []), ...(canSend ? (["async"] as const) : [])];
}

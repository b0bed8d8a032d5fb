import type { Account } from "../domain/account.ts";
import type { Conversation } from "../domain/conversation.ts";
import { newMessageId } from "../domain/ids.ts";
import type { Settlement } from "../domain/queue.ts";

/** "The customer-service system cannot be reached at the moment. Your message is kept and will be handed on as soon as it is back." */
const TEXT = "客服系统暂时无法连接，您的消息已经保存，恢复后会立即转达，无需重复发送。";

/**
 * What a contact is told when the desk does not answer: once per outage, unless the account wants no notices. The outage ends, for
 * this contact, when the desk takes a message again. The store checks the same once more as it writes.
 */
export function toOutageNotice({ replies }: Account, { outageToldAt }: Conversation, now: Date): Settlement["notice"] {
  if (replies.notices === "never" || outageToldAt !== null) return undefined;
  return { messageId: newMessageId(now), when: "outage", content: { type: "text", text: TEXT } };
}

import type { Content } from "../../src/domain/content.ts";
import { newMessageId, toConversationId } from "../../src/domain/ids.ts";
import type { NewReplies, Store, StoredReply } from "../../src/domain/store.ts";

export interface ReplyChange extends Partial<Omit<NewReplies, "replies">> {
  dedupeKey?: string | null;
}

/** Stores one reply to a contact of "shop", as a push that holds nothing else does; without a key unless one is given. */
export async function enqueueReply(
  { outbound }: Pick<Store, "outbound">,
  openId: string,
  said: string | Content,
  { dedupeKey = null, accountId = "shop", ...change }: ReplyChange = {},
): Promise<StoredReply> {
  const content = typeof said === "string" ? ({ type: "text", text: said } as const) : said;
  const { replies } = await outbound.enqueue({
    conversationId: toConversationId(accountId, openId),
    accountId,
    openId,
    origin: "agent",
    replies: [{ messageId: newMessageId(new Date()), content, dedupeKey }],
    ...change,
  });
  const [stored] = replies;
  if (stored === undefined) throw new Error("nothing was stored");
  return stored;
}

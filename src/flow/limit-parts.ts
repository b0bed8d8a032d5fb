import { DecodeError } from "../base/errors.ts";
import { canReplyPassively } from "../domain/channel.ts";
import type { Connection } from "../domain/connection.ts";
import { type Content, toTextContent } from "../domain/content.ts";
import type { OpenedPush } from "../domain/desk.ts";
import { toPart } from "../domain/text-part.ts";

/**
 * Returns the push unchanged. All messages that one request makes for a contact count together, whether from one long text, many
 * messages or an array of pushes; different contacts count apart.
 * @throws DecodeError MESSAGE_INVALID when it makes more than `partsMax` messages to a contact
 */
export function limitParts(push: OpenedPush, connection: Connection, partsMax: number): OpenedPush {
  const counts = new Map<string, number>();
  for (const { openId, content } of push.replies) {
    if (content === null) continue;
    const count = (counts.get(openId) ?? 0) + countParts(content, connection, partsMax);
    if (count > partsMax) {
      const remedy = "send shorter texts, fewer at once, or raise WXDESK_PUSH_PARTS_MAX at the gateway";
      throw new DecodeError(
        "MESSAGE_INVALID",
        `push makes at least ${count} messages to one customer, at most ${partsMax} are taken; ${remedy}`,
      );
    }
    counts.set(openId, count);
  }
  return push;
}

/**
 * As how many messages this content leaves on the account's main way: asynchronous, or on callbacks where `replies.async` is false.
 * Media count as the text with a link that may go out in their place. Beyond `countMax` it is no more than a lower bound.
 */
export function countParts(content: Content, { account, channel }: Connection, countMax: number): number {
  const isAsync = account.replies.async || !canReplyPassively(channel);
  const bytesMax = isAsync ? channel.asyncTextBytesMax : channel.passiveTextBytesMax;
  const isSentWhole = content.type !== "text" && (isAsync ? channel.canSend(content) : channel.canRender(content));
  if (isSentWhole) return 1;

  const text = toTextContent(content);
  const least = Math.ceil(Buffer.byteLength(text.text) / bytesMax);
  if (least > countMax) return least;
  let count = 1;
  for (let progress = toPart(text, 0, bytesMax).progress; progress !== undefined; count++) {
    progress = toPart(text, progress, bytesMax).progress;
  }
  return count;
}

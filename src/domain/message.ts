/*
 * The words of this gateway.
 *
 * A *contact* writes on a *channel* (WeChat Official Account, WeCom app); a *desk* is where *agents* answer. One contact of one
 * account has one *conversation*. A *message* is *inbound* on its way from contact to desk and *outbound* on its way back; what
 * it says is its *content*. WeChat sends us a *callback*, the desk a *push*. We *open* what comes (verify, decrypt, parse),
 * *normalise* it to the types of this folder, and *render* those for the other side. A *passive reply* rides on the response of
 * a callback that is still open; everything else is *sent* asynchronously. "Sent" means that the platform took it.
 *
 * A message that waits stands in a queue (queue.ts).
 */
import type { Content, ContentType } from "./content.ts";

export type Direction = "inbound" | "outbound";

/** Who wrote it: the contact, an agent at the desk, the desk's status notice, or an operator through the API. */
export type Origin = "contact" | "agent" | "notice" | "operator";

export type InboundState = "received" | "forwarded" | "retrying" | "dead";
export type OutboundState = "queued" | "sent" | "held" | "retrying" | "uncertain" | "failed" | "dead";
export type MessageState = InboundState | OutboundState;

export type Way = "passive" | "async";

/** A message that a contact sent, normalised, before it is stored. */
export interface InboundMessage {
  /** The contact as the channel names it: openid, or WeCom's userid. */
  openId: string;
  /** Equal for two deliveries of one push, different for different pushes (wechat.md's identity recipe, hashed). */
  dedupeKey: string;
  /** The platform's MsgId, digits as sent; null for events and old messages without one. */
  vendorMessageId: string | null;
  /** When the contact acted, by the platform's clock. */
  sentAt: Date;
  content: Content;
}

/** A stored message. */
export interface Message {
  id: string;
  accountId: string;
  conversationId: string;
  direction: Direction;
  origin: Origin;
  vendorMessageId: string | null;
  dedupeKey: string | null;
  type: ContentType;
  /** Readable text of the content. */
  text: string;
  content: Content;
  state: MessageState;
  way: Way | null;
  attempts: number;
  /** Outbound: how often its sender sent it again. */
  repetitions: number;
  error: string | null;
  errorCode: string | null;
  sentAt: Date;
  createdAt: Date;
  settledAt: Date | null;
}

/** One try of a message. */
export interface Attempt {
  number: number;
  way: Way | null;
  startedAt: Date;
  durationMs: number;
  outcome: string;
  code: string | null;
  detail: string | null;
}

import { DecodeError } from "../base/errors.ts";
import type { Content } from "../domain/content.ts";
import type { InboundMessage } from "../domain/message.ts";
import { identifier } from "./fields.ts";
import { toDedupeKey } from "./identity.ts";
import { normalizeContent } from "./normalize-content.ts";
import { normalizeEvent, toUnsupported } from "./normalize-event.ts";
import { child, type XmlElement } from "./xml.ts";

export type NormalizedMessage =
  | {
      kind: "message";
      message: InboundMessage;
      /** Our side as the callback names it: gh_… or the corp id. A passive reply comes from this name. */
      accountName: string;
      /** The WeCom app, as sent ("0" and "001" occur); null for Official Accounts. */
      agentId: string | null;
    }
  | { kind: "bookkeeping"; name: string };

/** Openids have 28 characters, userids at most 64; an index of the database could not hold a text of any length. */
const OPEN_ID_LENGTH_MAX = 128;

/** The sender that WeCom names for what no person did. */
const SYSTEM_SENDER = "sys";

/**
 * Turns a genuine, decrypted callback into the domain's words. What no contact did is bookkeeping: a notice of the platform, or word
 * that messages wait to be fetched. What we do not know is kept whole as `unsupported`, never refused.
 * @throws DecodeError MESSAGE_INVALID when it is no callback at all or does not say when it happened
 */
export function normalizeMessage(root: XmlElement): NormalizedMessage {
  // An empty MsgType occurs in genuine messages; without the element it is a notice.
  if (!child(root, "MsgType")) return { kind: "bookkeeping", name: toNoticeName(root) };

  const openId = identifier(root, "FromUserName");
  if (!openId || openId === SYSTEM_SENDER) return { kind: "bookkeeping", name: toBookkeepingName(root) };
  if (openId.length > OPEN_ID_LENGTH_MAX) throw new DecodeError("MESSAGE_INVALID", "the callback's FromUserName is too long for a name");

  return {
    kind: "message",
    message: {
      openId,
      dedupeKey: toDedupeKey(root),
      vendorMessageId: toVendorMessageId(root),
      sentAt: toSentAt(root),
      content: toContent(root),
    },
    accountName: identifier(root, "ToUserName") ?? "",
    agentId: identifier(root, "AgentID") ?? null,
  };
}

/** Suite and component notices have an InfoType and no MsgType (developer.work.weixin.qq.com/document/path/90628). */
function toNoticeName(root: XmlElement): string {
  const name = identifier(root, "InfoType");
  if (!name) throw new DecodeError("MESSAGE_INVALID", "the callback has neither a MsgType nor an InfoType");
  return name;
}

/** "kf_msg_or_event", "change_contact.update_user". */
function toBookkeepingName(root: XmlElement): string {
  const name = identifier(root, "Event") ?? identifier(root, "MsgType") ?? "unnamed";
  const changeType = identifier(root, "ChangeType");
  return changeType ? `${name}.${changeType}` : name;
}

/** Kept as digits: ids go up to 2^64, and a number would make two of them equal. */
function toVendorMessageId(root: XmlElement): string | null {
  const id = identifier(root, "MsgId");
  return id && /^\d+$/.test(id) ? id : null;
}

/** Later years have five digits, which ISO 8601 and the database write otherwise. */
const MOMENT_MS_MAX = Date.UTC(10_000, 0);

function toSentAt(root: XmlElement): Date {
  const digits = identifier(root, "CreateTime") ?? "";
  // The manual says seconds. Relays and test tools send milliseconds; seconds have no 12 digits before the year 5138.
  const sentAt = new Date(digits.length > 11 ? Number(digits) : Number(digits) * 1_000);
  if (!/^\d+$/.test(digits) || !(sentAt.getTime() < MOMENT_MS_MAX)) {
    throw new DecodeError("MESSAGE_INVALID", "the callback's CreateTime is not a number of seconds");
  }
  return sentAt;
}

function toContent(root: XmlElement): Content {
  const msgType = identifier(root, "MsgType") ?? "";
  const known = msgType.toLowerCase();
  const content = known === "event" ? normalizeEvent(root) : normalizeContent(root, known);
  return content ?? toUnsupported(root, msgType);
}

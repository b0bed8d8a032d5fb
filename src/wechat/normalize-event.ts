import type { EventContent, UnsupportedContent } from "../domain/content.ts";
import { flatTexts, identifier } from "./fields.ts";
import type { XmlElement } from "./xml.ts";

/** What the frame of every callback says, kept in the message's own fields. */
const FRAME: readonly string[] = ["ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "AgentID"];

/**
 * Something a contact did; null when the event has no name. Official Accounts write CLICK, WeCom click, relays Click: `event` is for
 * comparing. EventKey stays as sent: a subscription by QR code has "qrscene_" before the scene, a SCAN has the bare scene.
 * (developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html)
 */
export function normalizeEvent(root: XmlElement): EventContent | null {
  const vendorEvent = identifier(root, "Event");
  if (!vendorEvent) return null;
  const fields = fieldsExcept(root, [...FRAME, "Event", "EventKey"]);
  return { type: "event", event: vendorEvent.toLowerCase(), vendorEvent, key: identifier(root, "EventKey"), fields };
}

/** A message that we cannot name, kept whole. */
export function toUnsupported(root: XmlElement, vendorType: string): UnsupportedContent {
  return { type: "unsupported", vendorType, fields: fieldsExcept(root, FRAME) };
}

function fieldsExcept(root: XmlElement, names: readonly string[]): Record<string, string> {
  return flatTexts({ children: root.children.filter((field) => !names.includes(field.name)) });
}

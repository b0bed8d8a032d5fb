import { hash } from "node:crypto";
import { identifier } from "./fields.ts";
import type { XmlElement } from "./xml.ts";

const NAMING_FIELDS: readonly string[] = ["FromUserName", "CreateTime", "AgentID", "MsgId"];

/**
 * Equal for two deliveries of one push, different for different pushes of one account.
 *
 * The manual says MsgId, else FromUserName + CreateTime, and both lose messages: one MsgId has been seen for several users
 * (github.com/binarywang/WxJava/issues/333), LOCATION and VIEW of one user share a second, and so on. So it is
 *
 * - with a MsgId: FromUserName, CreateTime, AgentID and MsgId;
 * - without one, which is every event: the whole body. A list of telling fields (Event, EventKey, ChangeType, ExternalUserID, TaskId…)
 *   would have to grow with every new event, and what it lacks is lost; a retry brings the same decrypted body again.
 *
 * Blanks around values do not count, nor does the order of the fields, so that a relay which writes the XML anew changes nothing.
 */
export function toDedupeKey(root: XmlElement): string {
  const parts = identifier(root, "MsgId") ? NAMING_FIELDS.map((name) => identifier(root, name) ?? "") : toSortedBody(root);
  // JSON keeps the parts apart whatever they contain.
  return hash("sha256", JSON.stringify(parts), "base64url");
}

function toSortedBody(root: XmlElement): string[] {
  return root.children.map((field) => JSON.stringify(toPlain(field))).sort();
}

type Plain = [name: string, text: string, children: Plain[]];

function toPlain({ name, text, children }: XmlElement): Plain {
  return [name, text.trim(), children.map(toPlain)];
}

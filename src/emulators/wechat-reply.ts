import { decodeAesKey, decrypt } from "../wechat/cipher.ts";
import { verifySignature } from "../wechat/signature.ts";
import { child, childText, parseXml, type XmlElement } from "../wechat/xml.ts";
import type { AccountDetails, AccountState } from "./wechat-account-state.ts";
import { ARTICLES_MAX, cutToBytes, PASSIVE_TEXT_BYTES_MAX, TEXT_BYTES_MAX } from "./wechat-limits.ts";
import type { World } from "./wechat-world.ts";

/** What rode on the response of a callback, decrypted and checked. */
export interface PassiveReply {
  type: string;
  text?: string;
  mediaId?: string;
  /** The decrypted XML. */
  raw: string;
}

export type CallbackAnswer = { kind: "nothing" } | { kind: "reply"; reply: PassiveReply } | { kind: "invalid"; problem: string };

/** Reads the body of a 200 as the platform does: nothing to say, a reply that checks out, or something it cannot use. */
export function readAnswer(account: AccountState, openId: string, body: string, world: World): CallbackAnswer {
  // "success" is an Official Account's word; a WeCom app answers an empty body (wechat.md §6).
  if (body === "" || (body === "success" && account.details.kind === "official_account")) return { kind: "nothing" };
  try {
    const raw = open(account.details, body);
    const reply = parseXml(raw);
    requireAddresses(reply, account.details, openId);
    return { kind: "reply", reply: { ...readContent(reply, account, world), raw } };
  } catch (error) {
    return { kind: "invalid", problem: error instanceof Error ? error.message : String(error) };
  }
}

/** The reply's own XML. Which modes take an unencrypted one is wechat.md §4. */
function open(details: AccountDetails, body: string): string {
  const root = parseXml(body);
  const encryption = details.kind === "wecom" ? "safe" : details.encryption;
  const isSealed = child(root, "Encrypt") !== undefined;
  requireThat(!isSealed || encryption !== "plain", "an encrypted reply, but the account is plain");
  requireThat(isSealed || encryption !== "safe", "a plain reply, but the account is encrypted");
  return isSealed ? unseal(root, details) : body;
}

function unseal(root: XmlElement, details: AccountDetails): string {
  const field = (name: string) => childText(root, name) ?? "";
  requireSeconds(field("TimeStamp"), "TimeStamp");
  const signed = verifySignature([details.token, field("TimeStamp"), field("Nonce"), field("Encrypt")], field("MsgSignature"));
  requireThat(signed, "MsgSignature does not fit");
  return decrypt(field("Encrypt"), decodeAesKey(details.encodingAesKey), details.kind === "wecom" ? details.corpId : details.appId);
}

function requireAddresses(reply: XmlElement, details: AccountDetails, openId: string): void {
  const ownName = details.kind === "wecom" ? details.corpId : details.accountName;
  requireThat(childText(reply, "ToUserName") === openId, `ToUserName is not ${openId}`);
  requireThat(childText(reply, "FromUserName") === ownName, `FromUserName is not ${ownName}`);
  requireSeconds(childText(reply, "CreateTime") ?? "", "CreateTime");
}

/** wechat.md §7. */
function readContent(reply: XmlElement, account: AccountState, { shelf }: World): Omit<PassiveReply, "raw"> {
  const type = childText(reply, "MsgType") ?? "";
  switch (type) {
    case "text":
      return { type, text: readText(childText(reply, "Content") ?? "", account.details.kind) };
    case "image":
    case "voice":
    case "video": {
      const part = child(reply, { image: "Image", voice: "Voice", video: "Video" }[type]);
      const mediaId = (part && childText(part, "MediaId")) ?? "";
      requireThat(shelf.holds(account, mediaId), `MediaId "${mediaId}" is not one of this account's`);
      return { type, mediaId };
    }
    case "news": {
      const items = child(reply, "Articles")?.children.length ?? 0;
      requireThat(items > 0 && items <= ARTICLES_MAX[account.details.kind], `${items} articles`);
      requireThat(childText(reply, "ArticleCount") === String(items), "ArticleCount does not fit");
      return { type };
    }
    case "music":
      return { type };
    default:
      throw new Error(`MsgType "${type}" is not one of a reply's`);
  }
}

function readText(content: string, kind: AccountDetails["kind"]): string {
  requireThat(content.trim() !== "", "Content is empty");
  if (kind === "wecom") return cutToBytes(content, TEXT_BYTES_MAX);
  requireThat(Buffer.byteLength(content) <= PASSIVE_TEXT_BYTES_MAX, `Content has more than ${PASSIVE_TEXT_BYTES_MAX} bytes`);
  return content;
}

/** Ten digits: milliseconds have thirteen, and WeChat drops a reply that has them. */
function requireSeconds(value: string, name: string): void {
  requireThat(/^\d{10}$/.test(value), `${name} "${value}" is not in seconds`);
}

function requireThat(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(problem);
}

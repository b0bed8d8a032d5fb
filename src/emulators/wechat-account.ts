import { childText, parseXml } from "../wechat/xml.ts";
import type { AccountDetails, AccountState } from "./wechat-account-state.ts";
import { checkUrl, type Delivery, deliver, type Forgery, type UrlCheck } from "./wechat-callback.ts";
import { createFollowers, type Followers } from "./wechat-followers.ts";
import { TEXT_BYTES_MAX } from "./wechat-limits.ts";
import { picturePath } from "./wechat-media.ts";
import { type Fields, toXml } from "./wechat-messages.ts";
import { SAMPLES } from "./wechat-samples.ts";
import type { Media, Seen, World } from "./wechat-world.ts";

/** One account on WeChat's side of the wire, and its customers' phones. Each send… is a customer's act, pushed until acknowledged. */
export interface EmulatedAccount extends AccountState {
  /** Whether the account may send asynchronous messages at all; without it 48001. */
  maySend: boolean;
  /** Whether an Official Account's window and count are enforced: 45015, 45047. */
  limitsSends: boolean;
  /** Bytes of UTF-8 that an asynchronous text may have; a longer one is refused with 45002. */
  asyncTextBytesMax: number;
  readonly followers: Followers;

  verifyUrl(): Promise<UrlCheck>;
  /** `extra` adds elements or replaces them: give `MsgId` and `CreateTime` to push the same message again. */
  sendText(openId: string, text: string, extra?: Fields): Promise<Delivery>;
  sendImage(openId: string, extra?: Fields): Promise<Delivery>;
  sendVoice(openId: string, extra?: Fields): Promise<Delivery>;
  sendVideo(openId: string, extra?: Fields): Promise<Delivery>;
  sendLocation(openId: string, extra?: Fields): Promise<Delivery>;
  sendLink(openId: string, extra?: Fields): Promise<Delivery>;
  sendEvent(openId: string, event: string, key?: string, extra?: Fields): Promise<Delivery>;
  /** Any elements behind ToUserName, FromUserName and CreateTime. */
  push(openId: string, fields: Fields): Promise<Delivery>;
  /** Any text at all, also one that no WeChat would send. */
  sendXml(xml: string, forgery?: Forgery): Promise<Delivery>;
  /** A temporary media of this account, as after an upload. */
  addMedia(type: keyof typeof SAMPLES): Media;
  /** What the contact saw of this account, oldest first. */
  seenBy(openId: string): Seen[];
}

export function createAccount(details: AccountDetails, callbackUrl: string, world: World, address: string): EmulatedAccount {
  const message = (type: string, fields: Fields, extra: Fields = {}) => ({
    MsgType: type,
    ...fields,
    MsgId: world.nextMessageId(),
    ...extra,
  });

  const account: EmulatedAccount = {
    id: toId(details),
    details,
    callbackUrl,
    maySend: true,
    limitsSends: true,
    // WeCom cuts what is longer than its own limit, and is not known to refuse it.
    asyncTextBytesMax: details.kind === "wecom" ? Number.POSITIVE_INFINITY : TEXT_BYTES_MAX,
    followers: createFollowers(world.now),

    verifyUrl: () => checkUrl(account, world),
    sendText: (openId, text, extra) => account.push(openId, message("text", { Content: text }, extra)),
    sendImage: (openId, extra) => {
      const media = account.addMedia("image");
      return account.push(openId, message("image", { PicUrl: address + picturePath(media), MediaId: media.id }, extra));
    },
    sendVoice: (openId, extra) => account.push(openId, message("voice", { MediaId: account.addMedia("voice").id, Format: "amr" }, extra)),
    sendVideo: (openId, extra) => {
      const fields = { MediaId: account.addMedia("video").id, ThumbMediaId: account.addMedia("thumb").id };
      return account.push(openId, message("video", fields, extra));
    },
    sendLocation: (openId, extra) => account.push(openId, message("location", LOCATION, extra)),
    sendLink: (openId, extra) => account.push(openId, message("link", LINK, extra)),
    sendEvent: (openId, event, key = "", extra = {}) => account.push(openId, { MsgType: "event", Event: event, EventKey: key, ...extra }),

    push: (openId, fields) => {
      const createdAt = Math.floor(world.now() / 1000);
      const head = { ToUserName: ownName(account.details), FromUserName: openId, CreateTime: createdAt };
      const app: Fields = account.details.kind === "wecom" ? { AgentID: account.details.agentId } : {};
      return account.sendXml(toXml({ ...head, ...app, ...fields }));
    },
    sendXml: (xml, forgery) => {
      const { openId, event } = readAct(xml);
      if (event !== undefined) account.followers.did(openId, event);
      else account.followers.wrote(openId);
      return deliver(account, openId, xml, world, forgery);
    },

    addMedia: (type) => world.shelf.put({ type, account, ...SAMPLES[type] }),
    seenBy: (openId) => world.book.of(openId).filter(({ accountId }) => accountId === account.id),
  };
  return account;
}

const LOCATION: Fields = { Location_X: "23.134521", Location_Y: "113.358803", Scale: "20", Label: "广州市天河区" };
const LINK: Fields = { Title: "Opening hours", Description: "When the shop is open", Url: "https://shop.example/hours" };

function toId(details: AccountDetails): string {
  return details.kind === "wecom" ? `${details.corpId}/${details.agentId}` : details.appId;
}

function ownName(details: AccountDetails): string {
  return details.kind === "wecom" ? details.corpId : details.accountName;
}

/** Who did it, and which event it is, as far as the text can be read. */
function readAct(xml: string): { openId: string; event?: string } {
  try {
    const root = parseXml(xml);
    return { openId: childText(root, "FromUserName") ?? "", event: childText(root, "Event") };
  } catch {
    return { openId: "" };
  }
}

import { leafTexts, parseXml } from "../wechat/xml.ts";

/** One message as the desk got it. */
export interface ReceivedMessage {
  openId: string;
  msgId: string;
  type: string;
  text?: string;
  mediaId?: string;
  number: string;
  email: string;
  /** Every leaf element by name. */
  fields: Record<string, string>;
  raw: string;
  at: Date;
  /** Its MsgId came from this contact before. */
  repeated: boolean;
}

/** The elements each type must have (udesk.md A, "Inbound message"). */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  text: ["Content"],
  image: ["PicUrl", "MediaId"],
  voice: ["MediaId", "Format"],
  video: ["MediaId"],
  shortvideo: ["MediaId"],
  location: ["Location_X", "Location_Y"],
  link: ["Title", "Url"],
  event: ["Event"],
  rich: ["Content"],
  news: ["ArticleCount"],
  file: ["ArticleCount"],
  miniprogrampage: ["Title", "AppId", "PagePath"],
};

/**
 * Reads a message more strictly than Udesk does: what Ruby's `to_i` would turn into a wrong number is an error here.
 * @throws Error with a plain reason
 */
export function readMessage(body: Buffer, at: Date): Omit<ReceivedMessage, "repeated"> {
  const root = parseXml(body);
  const fields = { ...leafTexts(root) };
  const { FromUserName: openId = "", MsgId: msgId = "", MsgType: type = "", CreateTime: createTime = "" } = fields;
  if (openId === "") throw new Error("FromUserName is missing");
  if (!/^\d{10}$/.test(createTime)) throw new Error(`CreateTime "${createTime}" is not in seconds`);
  if (!/^\d{1,20}$/.test(msgId) || BigInt(msgId) >= 2n ** 64n) throw new Error(`MsgId "${msgId}" is not a 64-bit integer`);
  const required = REQUIRED[type];
  if (!required) throw new Error(`MsgType "${type}" is unknown`);
  const missing = ["Number", "Email", ...required].find((name) => !(name in fields));
  if (missing) throw new Error(`${missing} is missing`);

  const { Content: text, MediaId: mediaId, Number: number = "", Email: email = "" } = fields;
  return { openId, msgId, type, text, mediaId, number, email, fields, raw: body.toString(), at };
}

import { randomInt } from "node:crypto";
import { toSign } from "../../src/emulators/desk-sign.ts";
import { decodeAesKey, encrypt } from "../../src/wechat/cipher.ts";
import { sign } from "../../src/wechat/signature.ts";
import { cdata } from "../../src/wechat/xml.ts";
import { ACCOUNT, CALLBACK_PATH, toOpenId } from "./account.ts";

/** Which messages to make: the `first` of them, how many, and of how many contacts, who take turns. */
export interface Wanted {
  first: number;
  count: number;
  contacts: number;
}

/** MsgIds as long as WeChat's, beyond what a JavaScript number holds. */
const MSG_ID_BASE = 24_000_000_000_000_000n;

/** Whole HTTP requests with safe-mode callbacks, each a message of its own, made before any clock runs. */
export function makeCallbacks({ first, count, contacts }: Wanted): Buffer[] {
  const key = decodeAesKey(ACCOUNT.encodingAesKey);
  return Array.from({ length: count }, (_, index) => makeCallback(first + index, contacts, key));
}

function makeCallback(number: number, contacts: number, key: Buffer): Buffer {
  const openId = toOpenId(number % contacts);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const nonce = String(randomInt(1_000_000_000));
  const xml =
    `<xml><ToUserName>${cdata(ACCOUNT.accountName)}</ToUserName><FromUserName>${cdata(openId)}</FromUserName>` +
    `<CreateTime>${timestamp}</CreateTime><MsgType>${cdata("text")}</MsgType><Content>${cdata(toText(number))}</Content>` +
    `<MsgId>${MSG_ID_BASE + BigInt(number)}</MsgId></xml>`;
  const sealed = encrypt(xml, key, ACCOUNT.appId);
  const query = new URLSearchParams({
    signature: sign([ACCOUNT.token, timestamp, nonce]),
    timestamp,
    nonce,
    openid: openId,
    encrypt_type: "aes",
    msg_signature: sign([ACCOUNT.token, timestamp, nonce, sealed]),
  });
  const body = `<xml>\n    <ToUserName>${cdata(ACCOUNT.accountName)}</ToUserName>\n    <Encrypt>${cdata(sealed)}</Encrypt>\n</xml>\n`;
  return toPost(`${CALLBACK_PATH}?${query}`, "text/xml", body);
}

/** What an agent writes, as a desk pushes it: one signed request per reply. */
export function makePushes({ first, count, contacts }: Wanted, path: string): Buffer[] {
  const timestamp = new Date(Date.now() + 8 * 60 * 60_000).toISOString().replace(/\D/g, "").slice(0, 14);
  const identity = { number: "", email: "", timestamp };
  const query = new URLSearchParams({ ...identity, sign: toSign(ACCOUNT.deskKey, identity) });
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    const push = { touser: toOpenId(number % contacts), msgtype: "text", text: { content: toText(number) }, message_id: `p${number}` };
    return toPost(`${path}?${query}`, "application/json", JSON.stringify(push));
  });
}

/** The number comes first, so that whoever gets the text can tell which message it is. */
export function toText(number: number): string {
  return `#${number} Hello, is my parcel on its way? 你好，我的包裹到哪里了？`;
}

/** Undoes `toText`, in any text or body that holds one. */
export function findNumber(text: string): number {
  const start = text.indexOf("#") + 1;
  return Number(text.slice(start, text.indexOf(" ", start)));
}

function toPost(path: string, contentType: string, body: string): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\nContent-Type: ${contentType}\r\n`;
  return Buffer.from(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

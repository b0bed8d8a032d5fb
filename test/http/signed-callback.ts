import { createCipheriv, randomBytes, randomInt } from "node:crypto";
import type { AccountDetails } from "../../src/emulators/wechat.ts";
import { decodeAesKey } from "../../src/wechat/cipher.ts";
import { sign } from "../../src/wechat/signature.ts";
import type { ConnectedAccount } from "../support/gateway.ts";

/** One request as WeChat would make it, open to be spoilt: `undefined` leaves a parameter out, an array repeats it. */
export interface SignedCallback {
  query: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface SignOptions {
  timestamp?: string;
  /** In place of the account's own id. */
  receiverId?: string;
  /** In place of the sealed content. */
  ciphertext?: string;
  /** As the account's mode says when absent. */
  encrypted?: boolean;
}

export interface Answer {
  status: number;
  contentType: string;
  text: string;
}

/** The emulator sends what WeChat sends; this makes the same by hand, for any bytes. */
export function signCallback({ details }: ConnectedAccount["wechat"], content: string | Buffer, options: SignOptions = {}): SignedCallback {
  const { timestamp = nowSeconds(), encrypted = details.kind === "wecom" || details.encryption !== "plain" } = options;
  const nonce = String(randomInt(1, 2 ** 31));
  const parts = [details.token, timestamp, nonce];
  const plain = details.kind === "wecom" && encrypted ? {} : { signature: sign(parts) };
  if (!encrypted) return { query: { ...plain, timestamp, nonce, openid: "someone" }, body: Buffer.from(content) };
  const ciphertext = options.ciphertext ?? seal(details, Buffer.from(content), options.receiverId);
  const type = details.kind === "wecom" ? {} : { encrypt_type: "aes" };
  return {
    query: { ...plain, ...type, timestamp, nonce, msg_signature: sign([...parts, ciphertext]) },
    body: Buffer.from(`<xml><ToUserName>us</ToUserName><Encrypt><![CDATA[${ciphertext}]]></Encrypt></xml>`),
  };
}

/** Posts with the content type given, or with none at all. */
export async function post(url: string, { query, body }: SignedCallback, contentType?: string): Promise<Answer> {
  const headers: Record<string, string> = contentType === undefined ? {} : { "content-type": contentType };
  return toAnswer(await fetch(withQuery(url, query), { method: "POST", headers, body: new Uint8Array(body) }));
}

export async function get(url: string, query: SignedCallback["query"]): Promise<Answer> {
  return toAnswer(await fetch(withQuery(url, query)));
}

export function textXml(openId: string, text: string, fields = ""): string {
  return (
    `<xml><ToUserName><![CDATA[us]]></ToUserName><FromUserName><![CDATA[${openId}]]></FromUserName><CreateTime>${nowSeconds()}</CreateTime>` +
    `<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${text}]]></Content><MsgId>${2n ** 62n + BigInt(randomInt(2 ** 40))}</MsgId>${fields}</xml>`
  );
}

export function nowSeconds(offset = 0): string {
  return String(Math.floor(Date.now() / 1_000) + offset);
}

/** The cipher of the gateway takes text; here any bytes are sealed, broken UTF-8 among them. */
export function seal(details: AccountDetails, content: Buffer, receiverId?: string): string {
  const key = decodeAesKey(details.encodingAesKey);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const receiver = Buffer.from(receiverId ?? (details.kind === "wecom" ? details.corpId : details.appId));
  const plain = Buffer.concat([randomBytes(16), length, content, receiver]);
  const count = 32 - (plain.length % 32);
  const cipher = createCipheriv("aes-256-cbc", key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(count, count)), cipher.final()]).toString("base64");
}

function withQuery(address: string, query: SignedCallback["query"]): URL {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) for (const each of [value ?? []].flat()) url.searchParams.append(name, each);
  return url;
}

async function toAnswer(response: Response): Promise<Answer> {
  return { status: response.status, contentType: response.headers.get("content-type") ?? "", text: await response.text() };
}

import { startLoopback } from "../../src/emulators/loopback.ts";
import { json, type LoopbackAnswer } from "../../src/emulators/loopback-answer.ts";
import type { AccountDetails } from "../../src/emulators/wechat.ts";
import { decodeAesKey, decrypt } from "../../src/wechat/cipher.ts";
import { readEncrypted, sealEnvelope } from "../../src/wechat/envelope.ts";
import { verifySignature } from "../../src/wechat/signature.ts";
import { childText, parseXml } from "../../src/wechat/xml.ts";

export const OFFICIAL_ACCOUNT: Extract<AccountDetails, { kind: "official_account" }> = {
  kind: "official_account",
  appId: "wx0123456789abcdef",
  appSecret: "secret of the shop",
  token: "spamtest",
  encodingAesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
  encryption: "safe",
  accountName: "gh_7f083739789a",
};

export const WECOM: Extract<AccountDetails, { kind: "wecom" }> = {
  kind: "wecom",
  corpId: "wx5823bf96d3bd56c7",
  corpSecret: "secret of the app",
  agentId: 1000002,
  token: "QDG6eK",
  encodingAesKey: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
};

/** One callback as it reached the gateway, proven and decrypted. */
export interface ReachedCallback {
  openId: string;
  msgId: string | undefined;
  xml: string;
  nonce: string;
  msgSignature: string | null;
  openIdOfQuery: string | null;
}

/** The body of a 200, a whole answer, or nothing for as long as the caller waits. */
export type StubAnswer = string | LoopbackAnswer | "silence";

/** The least that an emulated WeChat can push to. Whatever is wrongly signed gets a 401. */
export async function startStubGateway(details: AccountDetails) {
  const reached: ReachedCallback[] = [];
  let answer: (callback: ReachedCallback) => StubAnswer = () => "";

  const server = await startLoopback(async ({ method, query, body }) => {
    const [timestamp = "", nonce = ""] = [query.get("timestamp") ?? "", query.get("nonce") ?? ""];
    const msgSignature = query.get("msg_signature");
    const open = (encrypted: string) => {
      const signed = verifySignature([details.token, timestamp, nonce, encrypted], msgSignature ?? "");
      return signed ? decrypt(encrypted, decodeAesKey(details.encodingAesKey), receiverId(details)) : null;
    };
    if (method === "GET") {
      const echo = query.get("echostr") ?? "";
      return toAnswer((details.kind === "wecom" ? open(echo) : echo) ?? "");
    }
    const isPlain = msgSignature === null && verifySignature([details.token, timestamp, nonce], query.get("signature") ?? "");
    const xml = isPlain ? body.toString() : open(readEncrypted(body));
    if (xml === null) return { status: 401, headers: {}, body: "" };

    const root = parseXml(xml);
    const openId = childText(root, "FromUserName") ?? "";
    const callback = { openId, msgId: childText(root, "MsgId"), xml, nonce, msgSignature, openIdOfQuery: query.get("openid") };
    reached.push(callback);
    const given = answer(callback);
    return given === "silence" ? new Promise<never>(() => {}) : toAnswer(given);
  });

  return {
    url: `${server.url}/wechat/shop`,
    reached,
    answerWith: (next: (callback: ReachedCallback) => StubAnswer) => {
      answer = next;
    },
    misbehave: server.misbehave,
    close: server.close,
  };
}

/** A reply as the manual shows it; `wrong` replaces what is to be wrong with it. */
export function textReply(
  details: AccountDetails,
  openId: string,
  text: string,
  wrong: Partial<Record<"from" | "createTime", string>> = {},
): string {
  const ownName = details.kind === "wecom" ? details.corpId : details.accountName;
  return (
    `<xml><ToUserName>${openId}</ToUserName><FromUserName>${wrong.from ?? ownName}</FromUserName>` +
    `<CreateTime>${wrong.createTime ?? "1713424427"}</CreateTime><MsgType>text</MsgType><Content><![CDATA[${text}]]></Content></xml>`
  );
}

export function sealed(details: AccountDetails, xml: string, wrong: { token?: string; timestampSeconds?: number } = {}): string {
  const key = decodeAesKey(details.encodingAesKey);
  return sealEnvelope(xml, {
    token: details.token,
    key,
    receiverId: receiverId(details),
    timestampSeconds: 1713424427,
    nonce: "415670741",
    ...wrong,
  });
}

function receiverId(details: AccountDetails): string {
  return details.kind === "wecom" ? details.corpId : details.appId;
}

function toAnswer(answer: string | LoopbackAnswer): LoopbackAnswer {
  return typeof answer === "string" ? { ...json(null), body: answer } : answer;
}

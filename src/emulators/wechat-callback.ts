import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeAesKey, encrypt } from "../wechat/cipher.ts";
import { sign } from "../wechat/signature.ts";
import { cdata } from "../wechat/xml.ts";
import type { Exchange, Exchanged } from "./exchange.ts";
import type { AccountDetails, AccountState, Encryption } from "./wechat-account-state.ts";
import { OUT_OF_SERVICE } from "./wechat-limits.ts";
import { type PassiveReply, readAnswer } from "./wechat-reply.ts";
import { show, type World } from "./wechat-world.ts";

/** What became of one push: up to three tries, and what the answer made the customer see. */
export interface Delivery {
  tries: { status: number | null; body: string; durationMs: number; error?: string }[];
  /** A try was answered with 200, which ended them. */
  acknowledged: boolean;
  reply: PassiveReply | null;
  /** The answer could not be used, or there was none: in an Official Account the customer sees that it is out of service. */
  failed: boolean;
  /** Why it failed. */
  problem: string | null;
}

/** What WeChat would never do, for tests of what the gateway refuses. */
export interface Forgery {
  timestamp?: string;
  /** In place of every signature; null leaves them out. */
  signature?: string | null;
  receiverId?: string;
  encryption?: Encryption;
}

export interface UrlCheck {
  ok: boolean;
  status: number | null;
  body: string;
}

/** WeCom gives its URL check less time than its callbacks (wechat.md §2). */
const WECOM_URL_CHECK_MS = 1_000;

/** Pushes one message as WeChat does: the same message again, freshly signed and encrypted, until a try is answered with 200. */
export async function deliver(account: AccountState, openId: string, xml: string, world: World, forgery: Forgery = {}): Promise<Delivery> {
  const tries: Exchanged[] = [];
  while (tries.length < world.tries) {
    if (tries.length > 0 && world.pauseMs > 0) await sleep(world.pauseMs);
    const answer = await world.caller.exchange(toPost(account, openId, xml, world, forgery));
    tries.push(answer);
    if (answer.status === 200) return { tries, acknowledged: true, ...accept(account, openId, answer.body, world) };
  }
  showFailure(account, openId, world);
  return { tries, acknowledged: false, reply: null, failed: true, problem: `no answer with status 200 in ${tries.length} tries` };
}

/** The check that both consoles make when an address is entered: the echo must come back exactly. */
export async function checkUrl({ details, callbackUrl }: AccountState, world: World): Promise<UrlCheck> {
  const echo = `${randomInt(1, 2 ** 47)}${randomInt(1, 2 ** 47)}`;
  const sealed = details.kind === "wecom" ? seal(details, echo) : null;
  const query = { ...signed(details, sealed, world.now(), {}), echostr: sealed ?? echo };
  const limitMs = details.kind === "wecom" ? Math.min(WECOM_URL_CHECK_MS, world.callbackTimeoutMs) : world.callbackTimeoutMs;
  const url = withQuery(callbackUrl, query);
  const { status, body } = await world.caller.exchange({ method: "GET", url, signal: world.hangUpAfter(limitMs) });
  return { ok: status === 200 && body === echo, status, body };
}

function accept(account: AccountState, openId: string, body: string, world: World): Pick<Delivery, "reply" | "failed" | "problem"> {
  const answer = readAnswer(account, openId, body, world);
  if (answer.kind === "reply") show(world, account, openId, { way: "passive", ...answer.reply });
  if (answer.kind === "invalid") showFailure(account, openId, world);
  return {
    reply: answer.kind === "reply" ? answer.reply : null,
    failed: answer.kind === "invalid",
    problem: answer.kind === "invalid" ? answer.problem : null,
  };
}

/** WeCom's members see nothing at all in that case. */
function showFailure(account: AccountState, openId: string, world: World): void {
  if (account.details.kind === "official_account") {
    show(world, account, openId, { way: "passive", type: "failure", text: OUT_OF_SERVICE, raw: "" });
  }
}

function toPost({ details, callbackUrl }: AccountState, openId: string, xml: string, world: World, forgery: Forgery): Exchange {
  const encryption = details.kind === "wecom" ? "safe" : (forgery.encryption ?? details.encryption);
  const sealed = encryption === "plain" ? null : seal(details, xml, forgery.receiverId);
  const query = {
    ...signed(details, sealed, world.now(), forgery),
    ...(details.kind === "official_account" ? { openid: openId } : {}),
    ...(details.kind === "official_account" && sealed ? { encrypt_type: "aes" } : {}),
  };
  const body = sealed === null ? xml : envelope(details, encryption, xml, sealed);
  const signal = world.hangUpAfter(world.callbackTimeoutMs);
  return { method: "POST", url: withQuery(callbackUrl, query), contentType: "text/xml", body, signal };
}

/** `signature` covers no body and is an Official Account's; `msg_signature` covers the ciphertext (wechat.md §1, §3). */
function signed(details: AccountDetails, sealed: string | null, now: number, forgery: Forgery): Record<string, string> {
  const timestamp = forgery.timestamp ?? String(Math.floor(now / 1000));
  const nonce = String(randomInt(1, 2 ** 31));
  const parts = [details.token, timestamp, nonce];
  const signatures: Record<string, string> = {
    ...(details.kind === "official_account" ? { signature: forgery.signature ?? sign(parts) } : {}),
    ...(sealed === null ? {} : { msg_signature: forgery.signature ?? sign([...parts, sealed]) }),
  };
  return { ...(forgery.signature === null ? {} : signatures), timestamp, nonce };
}

function seal(details: AccountDetails, plaintext: string, receiverId?: string): string {
  const ownId = details.kind === "wecom" ? details.corpId : details.appId;
  return encrypt(plaintext, decodeAesKey(details.encodingAesKey), receiverId ?? ownId);
}

/** The bytes of wechat.md §4. */
function envelope(details: AccountDetails, encryption: Encryption, xml: string, sealed: string): string {
  if (details.kind === "wecom") {
    return `<xml><ToUserName>${cdata(details.corpId)}</ToUserName><Encrypt>${cdata(sealed)}</Encrypt><AgentID>${cdata(String(details.agentId))}</AgentID></xml>`;
  }
  if (encryption === "compatible") return xml.replace(/\n?<\/xml>\s*$/, () => `\n    <Encrypt>${cdata(sealed)}</Encrypt>\n</xml>\n`);
  return `<xml>\n    <ToUserName>${cdata(details.accountName)}</ToUserName>\n    <Encrypt>${cdata(sealed)}</Encrypt>\n</xml>\n`;
}

function withQuery(address: string, query: Record<string, string>): URL {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

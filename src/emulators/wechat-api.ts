import type { LoopbackRequest } from "./loopback.ts";
import { json, type LoopbackAnswer } from "./loopback-answer.ts";
import type { EmulatedAccount } from "./wechat-account.ts";
import { refuse } from "./wechat-errors.ts";
import { checkCallback, showApp, showTyping } from "./wechat-look.ts";
import { download, showPicture, upload } from "./wechat-media.ts";
import { sendToCustomer, sendToMembers } from "./wechat-send.ts";
import type { IssuedToken, Tokens } from "./wechat-tokens.ts";
import type { World } from "./wechat-world.ts";

interface ApiContext {
  accounts: ReadonlySet<EmulatedAccount>;
  tokens: Tokens;
  world: World;
}

/** An access token that nobody issued: 40001 on an Official Account, where WeCom has that code for a wrong secret (wechat.md §9). */
const UNKNOWN_TOKEN = { official_account: 40001, wecom: 40014, either: 40014 } as const;

/** Answers as api.weixin.qq.com and qyapi.weixin.qq.com in one: their paths do not clash, and shared ones go by the token's account. */
export async function answerApiCall(request: LoopbackRequest, context: ApiContext): Promise<LoopbackAnswer> {
  const { tokens, world } = context;
  const body = request.body.toString();
  const as = (kind: keyof typeof UNKNOWN_TOKEN, serve: (account: EmulatedAccount) => LoopbackAnswer | Promise<LoopbackAnswer>) => {
    const account = tokens.check(request.query.get("access_token"), UNKNOWN_TOKEN[kind]);
    if (typeof account === "number") return refuse(account);
    if (kind !== "either" && account.details.kind !== kind) return refuse(UNKNOWN_TOKEN[kind]);
    return serve(account);
  };

  switch (`${request.method} ${request.path}`) {
    case "POST /cgi-bin/stable_token":
      return giveStableToken(body, context);
    case "GET /cgi-bin/token":
      return giveToken(request.query, context);
    case "GET /cgi-bin/gettoken":
      return giveAppToken(request.query, context);
    case "POST /cgi-bin/message/custom/send":
      return as("official_account", (account) => sendToCustomer(account, body, world));
    case "POST /cgi-bin/message/custom/typing":
      return as("official_account", (account) => showTyping(account, body));
    case "POST /cgi-bin/callback/check":
      return as("official_account", checkCallback);
    case "GET /cgi-bin/agent/get":
      return as("wecom", (account) => showApp(account, request.query.get("agentid"), context.accounts));
    case "POST /cgi-bin/message/send":
      return as("wecom", (account) => sendToMembers(account, body, world));
    case "POST /cgi-bin/media/upload":
      return as("either", (account) => upload(account, request, world));
    case "GET /cgi-bin/media/get":
      return as("either", (account) => download(account, request, world));
    default:
      return showPicture(request.path, world) ?? { status: 404, headers: { "content-type": "text/plain" }, body: "not found" };
  }
}

function giveStableToken(body: string, { accounts, tokens, world }: ApiContext): LoopbackAnswer {
  const given = new Map<string, unknown>();
  try {
    for (const [name, value] of Object.entries(JSON.parse(body))) given.set(name, value);
  } catch {
    return refuse(47001);
  }
  const found = findOfficialAccount(given.get("appid"), given.get("secret"), given.get("grant_type"), accounts);
  if (typeof found === "number") return refuse(found);
  return give(tokens.stable(found, given.get("force_refresh") === true), world);
}

function giveToken(query: URLSearchParams, { accounts, tokens, world }: ApiContext): LoopbackAnswer {
  const found = findOfficialAccount(query.get("appid"), query.get("secret"), query.get("grant_type"), accounts);
  return typeof found === "number" ? refuse(found) : give(tokens.renewed(found), world);
}

function giveAppToken(query: URLSearchParams, { accounts, tokens, world }: ApiContext): LoopbackAnswer {
  const apps = [...accounts].filter(({ details }) => details.kind === "wecom" && details.corpId === query.get("corpid"));
  if (apps.length === 0) return refuse(40013);
  const app = apps.find(({ details }) => details.kind === "wecom" && details.corpSecret === query.get("corpsecret"));
  return app ? give(tokens.stable(app, false), world, { errcode: 0, errmsg: "ok" }) : refuse(40001);
}

function findOfficialAccount(appId: unknown, secret: unknown, grantType: unknown, accounts: ReadonlySet<EmulatedAccount>) {
  if (grantType !== "client_credential") return 40002;
  for (const account of accounts) {
    const { details } = account;
    if (details.kind === "official_account" && details.appId === appId) return details.appSecret === secret ? account : 40125;
  }
  return 40013;
}

function give({ value, expiresAt }: IssuedToken, { now }: World, success: Record<string, unknown> = {}): LoopbackAnswer {
  return json({ ...success, access_token: value, expires_in: Math.floor((expiresAt - now()) / 1000) });
}

import type { z } from "zod";
import type { createdAccount } from "../http/api/schemas/account.ts";
import { toWidth } from "./terminal/table.ts";

type CreatedAccount = z.output<typeof createdAccount>;
type Row = readonly [field: string, value: string];

/** What a person has to do now in WeChat's and the desk's consoles, in the order in which they ask. */
export function toPasteList(account: CreatedAccount): string {
  const parts = [
    `Account "${account.id}" is created. Three things are left to do. Values marked * are shown this once: copy them now.`,
    ...toWarning(account),
    `1. ${account.kind === "wecom" ? WECOM_TITLE : OFFICIAL_TITLE}`,
    toRows(account.kind === "wecom" ? toWecomRows(account) : toOfficialRows(account)),
    account.kind === "wecom" ? WECOM_END : OFFICIAL_END,
    "2. Desk: Management Center → Instant Messaging → Message Interface Access",
    toRows([["* message push server address", account.pushUrl]]),
    `3. Check: npx wxdesk account test ${account.id}`,
  ];
  return parts.join("\n\n");
}

const OFFICIAL_TITLE = "WeChat, mp.weixin.qq.com: 设置与开发 → 基本配置";
const OFFICIAL_END =
  "   WeChat calls the address when you submit, so the gateway must be running and reachable. Then press 启用: from that moment\n   the gateway gets all messages.";
const WECOM_TITLE = "WeCom, work.weixin.qq.com: 应用管理 → the app → 接收消息 → 设置API接收";
const WECOM_END =
  "   WeCom calls the address when you save, so the gateway must be running and reachable. It takes 企业可信IP only after that.";
const IP = "the public address from which this gateway reaches the internet";

function toOfficialRows({ kind, wechat, callbackUrl, generated }: CreatedAccount): Row[] {
  const encryption = kind === "official_account" ? wechat.encryption : "safe";
  return [
    ["IP白名单", IP],
    ["服务器配置 → 修改配置", ""],
    ["  URL", callbackUrl],
    ...toSecretRows(generated, encryption !== "plain", "  "),
    ["  消息加解密方式", { safe: "安全模式", compatible: "兼容模式", plain: "明文模式" }[encryption]],
  ];
}

function toWecomRows({ callbackUrl, generated }: CreatedAccount): Row[] {
  return [["URL", callbackUrl], ...toSecretRows(generated, true, ""), ["企业可信IP (the app's page)", IP]];
}

function toSecretRows({ token, encodingAesKey }: CreatedAccount["generated"], isEncrypted: boolean, indent: string): Row[] {
  const row = (name: string, value: string | undefined): Row =>
    value === undefined ? [`${indent}${name}`, "the one you gave"] : [`${indent}* ${name}`, value];
  return [row("Token", token), ...(isEncrypted ? [row("EncodingAESKey", encodingAesKey)] : [])];
}

/** Values stand alone at the end of their lines, so that a double click takes them whole. */
function toRows(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([field]) => toWidth(field)));
  return rows.map(([field, value]) => `   ${field}${" ".repeat(width - toWidth(field))}  ${value}`.trimEnd()).join("\n");
}

function toWarning({ callbackUrl, wechat }: CreatedAccount): string[] {
  // An emulated WeChat on this machine does reach it.
  if (isHere(wechat.apiBaseUrl) || (!isHere(callbackUrl) && callbackUrl.startsWith("https:"))) return [];
  return [
    `WeChat cannot reach ${callbackUrl}. Put WXDESK_PUBLIC_URL=https://<your name> into .env and start the gateway again; then paste the\naddresses below with that name in front.`,
  ];
}

function isHere(address: string): boolean {
  return ["127.0.0.1", "localhost"].includes(new URL(address).hostname);
}

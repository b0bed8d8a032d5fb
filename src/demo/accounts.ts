import type { DeskEmulator } from "../emulators/desk.ts";
import type { AccountDetails, EmulatedAccount } from "../emulators/wechat.ts";
import type { KeyedDesk } from "./practice.ts";
import type { Stagehand } from "./print.ts";
import type { Stage } from "./stage.ts";

/** An account with its two ends, ready to talk. */
export interface Connected {
  id: string;
  wechat: EmulatedAccount;
  desk: DeskEmulator;
}

const SHOP: AccountDetails = {
  kind: "official_account",
  appId: "wx0123456789abcdef",
  appSecret: "0123456789abcdef0123456789abcdef",
  token: "demoShopToken",
  encodingAesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
  encryption: "safe",
  accountName: "gh_0123456789ab",
};

const STAFF: AccountDetails = {
  kind: "wecom",
  corpId: "ww0123456789abcdef",
  corpSecret: "fedcba9876543210fedcba9876543210",
  agentId: 1000002,
  token: "demoStaffToken",
  encodingAesKey: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg",
};

export async function connectAccounts(stage: Stage, hand: Stagehand): Promise<{ shop: Connected; staff: Connected }> {
  const shop = await connect({ id: "shop", name: "Shop service account", details: SHOP, desk: stage.desks.shop }, stage, hand);
  const staff = await connect({ id: "staff", name: "Staff app", details: STAFF, desk: stage.desks.staff }, stage, hand);
  return { shop, staff };
}

interface NewAccount {
  id: string;
  name: string;
  details: AccountDetails;
  desk: KeyedDesk;
}

/** What an operator does: create the account, then paste its two addresses into WeChat's console and into the desk's. */
async function connect({ id, name, details, desk }: NewAccount, { operator, wechat }: Stage, hand: Stagehand): Promise<Connected> {
  const { callbackUrl, pushUrl } = await hand.step(
    { from: "operator", to: "gateway", what: `account "${id}", ${describe(details)}` },
    () => operator.createAccount({ id, name, ...toDocument(details, wechat.url), desk: toDeskDocument(desk) }),
    (created) => created.callbackUrl,
  );
  const account = wechat.addAccount({ ...details, callbackUrl });
  desk.connectPush(pushUrl);
  await hand.step({ from: "WeChat", to: "gateway", what: `URL check of "${id}"` }, async () => {
    const check = await account.verifyUrl();
    if (!check.ok) throw new Error(`the echo did not come back: status ${check.status}, body ${JSON.stringify(check.body)}`);
  });
  return { id, wechat: account, desk };
}

function toDocument(details: AccountDetails, apiBaseUrl: string): Record<string, unknown> {
  if (details.kind === "wecom") {
    const { kind, ...wechat } = details;
    return { kind, wechat: { ...wechat, apiBaseUrl } };
  }
  const { kind, accountName: _accountName, ...wechat } = details;
  return { kind, wechat: { ...wechat, apiBaseUrl } };
}

function toDeskDocument({ url, key }: KeyedDesk): Record<string, unknown> {
  return { protocol: "udesk-message-interface", url, key, requireSign: true };
}

function describe(details: AccountDetails): string {
  return details.kind === "wecom" ? "a WeCom app" : `an Official Account in ${details.encryption} mode`;
}

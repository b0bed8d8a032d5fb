import type { Account, SecretName } from "../../domain/account.ts";
import { PLATFORM_SECRET_NAMES } from "../../domain/external-secret-name.ts";
import type { ShownAccount } from "./schemas/account.ts";
import { toMoment } from "./schemas/common.ts";

export interface Addresses {
  publicUrl: string;
  /** Only right after it was made; otherwise the address ends in the token's hint. */
  pushToken?: string;
}

/** An account as the API shows it: the document it was made from, with a mark in the place of every secret. */
export function toShownAccount(account: Account, { publicUrl, pushToken }: Addresses): ShownAccount {
  const { id, name, enabled, replies } = account;
  const warnings = account.warnings.map((warning) => ({ ...warning, since: toMoment(warning.since) }));
  const mark = (secret: SecretName) => toShownMark(account, secret);
  const callback = { token: mark("token"), encodingAesKey: mark("encodingAesKey") };
  const shown = {
    id,
    name,
    enabled,
    desk: { ...account.desk, key: mark("deskKey"), pushToken: mark("pushToken") },
    replies,
    callbackUrl: `${publicUrl}/wechat/${id}`,
    pushUrl: `${publicUrl}/desk/${id}/${pushToken ?? account.secrets.pushToken?.hint ?? "…"}`,
    warning: warnings[0] ?? null,
    warnings,
    createdAt: toMoment(account.createdAt),
    updatedAt: toMoment(account.updatedAt),
  };
  const platform = { [PLATFORM_SECRET_NAMES[account.kind]]: mark("platformSecret") };
  // The response is checked with the schema of its kind before it is sent.
  return { ...shown, kind: account.kind, wechat: { ...account.wechat, ...callback, ...platform } } as ShownAccount;
}

function toShownMark({ secrets }: Account, name: SecretName): ShownAccount["desk"]["key"] {
  const mark = secrets[name];
  const previous = (mark?.previous ?? []).map(({ hint, expiresAt }) => ({ hint, expiresAt: toMoment(expiresAt) }));
  return { set: mark?.set ?? false, hint: mark?.hint ?? null, changedAt: toMoment(mark?.changedAt ?? null), previous };
}

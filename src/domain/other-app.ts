import type { Account } from "./account.ts";

/** The code of the account's warning. */
export const APP_MISMATCH = "APP_MISMATCH";

/**
 * The app that a contact addressed, where it is not the account's own: then the URL in that app's console leads to this account. Null
 * for the own app, and where none is named, as in what concerns the whole enterprise.
 */
export function toOtherApp(account: Account, addressedApp: string | null): string | null {
  if (account.kind !== "wecom" || addressedApp === null) return null;
  return addressedApp === String(account.wechat.agentId) ? null : addressedApp;
}

import type { Account, AccountWarning } from "../domain/account.ts";
import type { Connections } from "../domain/connection.ts";
import type { AccountStore } from "../domain/store.ts";

export interface NoteWarningDeps {
  accounts: Pick<AccountStore, "setWarning" | "clearWarning">;
  connections: Connections;
}

/**
 * Sets or clears one warning of an account; the others stay. Writes only when the account as it is known says otherwise. It is a note
 * beside the work, so its failure is not the work's: the next try notes the same again.
 */
export async function noteWarning(
  { id, warnings }: Pick<Account, "id" | "warnings">,
  { isTrue, ...warning }: Omit<AccountWarning, "since"> & { isTrue: boolean },
  { accounts, connections }: NoteWarningDeps,
): Promise<void> {
  if (warnings.some(({ code }) => code === warning.code) === isTrue) return;
  try {
    await (isTrue ? accounts.setWarning(id, warning) : accounts.clearWarning(id, warning.code));
    connections.forget(id);
  } catch {
    // See above.
  }
}

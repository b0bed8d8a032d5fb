import type { Connection } from "../domain/connection.ts";
import { APP_MISMATCH, toOtherApp } from "../domain/other-app.ts";
import { type NoteWarningDeps, noteWarning } from "./note-warning.ts";

/**
 * Warns on the account when a message names another WeCom app, and takes the warning back with the next one that names its own.
 * A message that names none changes nothing. Repeated, it writes nothing more.
 */
export async function noteApp(addressedApp: string | null, { account }: Connection, deps: NoteWarningDeps): Promise<void> {
  if (account.kind !== "wecom" || addressedApp === null) return;
  const other = toOtherApp(account, addressedApp);
  const sentence = other === null ? "" : toSentence(account.id, account.wechat.agentId, other);
  await noteWarning(account, { code: APP_MISMATCH, sentence, isTrue: other !== null }, deps);
}

function toSentence(id: string, own: number, other: string): string {
  return (
    `a message came for app ${other}, and this account is app ${own}: the callback URL of account "${id}" is entered at app ${other}; ` +
    `enter it at app ${own} in WeCom's console, or set the account's agentId and corpSecret to those of app ${other}`
  );
}

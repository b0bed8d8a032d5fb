import type { Account, AccountSecrets, AccountSettings } from "../../domain/account.ts";
import { PLATFORM_SECRET_NAMES, type PlatformSecretName } from "../../domain/external-secret-name.ts";
import { fieldWords } from "./field-words.ts";
import { type AccountDocument, type AccountPatch, accountDocument } from "./schemas/account.ts";
import { toFieldErrors, validationFailed } from "./validate.ts";

/** Parts what may be shown from what may not: the two are stored in different places. */
export function splitDocument(document: AccountDocument): { settings: AccountSettings; secrets: AccountSecrets } {
  const { kind, replies } = document;
  const { key: deskKey, ...desk } = document.desk;
  const given: AccountDocument["wechat"] & Partial<Record<PlatformSecretName, string>> = document.wechat;
  const { [PLATFORM_SECRET_NAMES[kind]]: platformSecret, token, encodingAesKey, ...wechat } = given;
  // The schema of the kind has checked `wechat`; without the secrets it is that kind's settings.
  const settings = { kind, wechat, desk, replies } as AccountSettings;
  return { settings, secrets: onlyGiven({ platformSecret, token, encodingAesKey, deskKey }) };
}

/**
 * The account's document with the change applied, checked as a whole. Of the secrets it holds only those that the change gives.
 * @throws Problem VALIDATION_FAILED, pointing into the change
 */
export function applyPatch(account: Account, patch: AccountPatch): AccountDocument {
  const fixed = (["id", "kind"] as const).filter((field) => patch[field] !== undefined && patch[field] !== account[field]);
  if (fixed.length > 0) {
    const detail = "cannot change; delete the account and create another one";
    throw validationFailed(fixed.map((field) => ({ in: "body", pointer: `#/${field}`, detail })));
  }
  const document = {
    id: account.id,
    kind: account.kind,
    name: patch.name ?? account.name,
    wechat: { ...account.wechat, ...patch.wechat },
    desk: { ...account.desk, ...patch.desk, types: { ...account.desk.types, ...patch.desk?.types } },
    replies: { ...account.replies, ...patch.replies },
  };
  const merged = accountDocument.safeParse(document, { error: fieldWords });
  if (merged.success) return merged.data;
  throw validationFailed(toFieldErrors(merged.error, "body"));
}

function onlyGiven(secrets: AccountSecrets): AccountSecrets {
  return Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== undefined));
}

import type { Account, AccountSecrets, AccountSettings } from "../../domain/account.ts";
import { fieldWords } from "./field-words.ts";
import { type AccountDocument, type AccountPatch, accountDocument } from "./schemas/account.ts";
import { toFieldErrors, validationFailed } from "./validate.ts";

/** Parts what may be shown from what may not: the two are stored in different places. */
export function splitDocument(document: AccountDocument): { settings: AccountSettings; secrets: AccountSecrets } {
  const { key: deskKey, ...desk } = document.desk;
  const { replies } = document;
  if (document.kind === "official_account") {
    const { appSecret, token, encodingAesKey, ...wechat } = document.wechat;
    return { settings: { kind: document.kind, wechat, desk, replies }, secrets: onlyGiven({ appSecret, token, encodingAesKey, deskKey }) };
  }
  const { corpSecret, token, encodingAesKey, ...wechat } = document.wechat;
  return { settings: { kind: document.kind, wechat, desk, replies }, secrets: onlyGiven({ corpSecret, token, encodingAesKey, deskKey }) };
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

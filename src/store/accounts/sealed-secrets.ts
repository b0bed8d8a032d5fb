import type { AccountCredentials, AccountKind, AccountSecrets, SecretName } from "../../domain/account.ts";
import { type ExternalSecretName, toExternalSecretName, toSecretName } from "../../domain/external-secret-name.ts";
import type { SecretBox } from "../../domain/secret-box.ts";
import { translate } from "../database/database-now.ts";
import type { AccountRow } from "./account-row.ts";

type SecretRow = AccountRow["secrets"][number];

/** @param name as the row has it: it is part of the encryption's context */
export function sealSecret(box: SecretBox, accountId: string, name: ExternalSecretName, value: string) {
  const { ciphertext, keyId } = box.seal(value, { accountId, field: name });
  return { name, ciphertext: Uint8Array.from(ciphertext), keyId, hint: toHint(value) };
}

export function sealSecrets(box: SecretBox, accountId: string, kind: AccountKind, secrets: AccountSecrets) {
  return Object.entries(secrets).map(([name, value]) => sealSecret(box, accountId, toExternalSecretName(name as SecretName, kind), value));
}

export function openSecret(box: SecretBox, { accountId, name, ciphertext, keyId }: SecretRow): string {
  return box.open({ ciphertext: Buffer.from(ciphertext), keyId }, { accountId, field: name });
}

/**
 * In the order of the rows: of each secret the current value first. The end of an old one is told by this process's clock.
 * @param now by the database's clock, as its ends are
 */
export function openSecrets(
  box: SecretBox,
  rows: readonly SecretRow[],
  now: Date,
): { secrets: AccountSecrets; credentials: AccountCredentials } {
  const secrets: AccountSecrets = {};
  const credentials: AccountCredentials = {};
  for (const row of rows) {
    const name = toSecretName(row.name as ExternalSecretName);
    const value = openSecret(box, row);
    if (row.expiresAt === null) secrets[name] = value;
    credentials[name] = [...(credentials[name] ?? []), { value, expiresAt: row.expiresAt && translate(row.expiresAt, now, new Date()) }];
  }
  return { secrets, credentials };
}

/** Enough to tell two values apart, too little to help guessing: the last four characters of a value of sixteen or more. */
function toHint(value: string): string {
  return value.length >= 16 ? `…${value.slice(-4)}` : "…";
}

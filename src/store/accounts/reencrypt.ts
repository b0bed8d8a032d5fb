import type { Actor } from "../../domain/audit.ts";
import type { SecretBox } from "../../domain/secret-box.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { writeAudit } from "../audit.ts";
import { ACCESS_TOKEN_FIELD } from "./access-tokens.ts";

/** The keys that secrets are encrypted with, and whose secrets they are. Expired ones are nobody's. */
export async function listKeys(prisma: PrismaClient): Promise<{ keyId: string; accountIds: string[] }[]> {
  return prisma.$queryRaw`
    SELECT key_id AS "keyId", array_agg(DISTINCT account_id ORDER BY account_id) AS "accountIds" FROM account_secrets
    WHERE expires_at IS NULL OR expires_at > now() GROUP BY key_id ORDER BY key_id`;
}

/**
 * Encrypts up to `limit` secrets and as many access tokens with the current key that are encrypted with another one. A row that a
 * running gateway changes in the same moment is left as the gateway made it: if that is not the current key, the next call finds it.
 * @returns how many rows had another key (0: nothing is left to do), and how many of them were encrypted anew
 * @throws ConfigError MASTER_KEY_WRONG or CIPHERTEXT_INVALID for a secret that cannot be read; then nothing of this call has changed
 */
export async function reencrypt(prisma: PrismaClient, box: SecretBox, limit: number, actor: Actor) {
  return prisma.$transaction(async (tx) => {
    const secrets = await reencryptSecrets(tx, box, limit);
    const tokens = await reencryptAccessTokens(tx, box, limit);
    const reencrypted = secrets.reencrypted + tokens.reencrypted;
    if (reencrypted > 0) {
      await writeAudit(tx, { actor, action: "master-key.rotated", accountId: null, subject: box.keyId, detail: { reencrypted } });
    }
    return { found: secrets.found + tokens.found, reencrypted };
  });
}

interface Batch {
  found: number;
  reencrypted: number;
}

async function reencryptSecrets(tx: Prisma.TransactionClient, box: SecretBox, limit: number): Promise<Batch> {
  const rows = await tx.accountSecret.findMany({ where: { keyId: { not: box.keyId } }, orderBy: { id: "asc" }, take: limit });
  let reencrypted = 0;
  for (const { id, accountId, name: field, ciphertext, keyId } of rows) {
    const value = box.open({ ciphertext: Buffer.from(ciphertext), keyId }, { accountId, field });
    // Only if it still is what was read.
    const { count } = await tx.accountSecret.updateMany({ where: { id, keyId, ciphertext }, data: seal(box, value, accountId, field) });
    reencrypted += count;
  }
  return { found: rows.length, reencrypted };
}

async function reencryptAccessTokens(tx: Prisma.TransactionClient, box: SecretBox, limit: number): Promise<Batch> {
  const other = { keyId: { not: box.keyId }, ciphertext: { not: null } };
  const rows = await tx.accessToken.findMany({ where: other, orderBy: { accountId: "asc" }, take: limit });
  let reencrypted = 0;
  for (const { accountId, ciphertext, keyId } of rows) {
    if (ciphertext === null || keyId === null) continue;
    // One that cannot be read is dropped: it will be fetched again.
    const data = box.canOpen(keyId)
      ? seal(box, box.open({ ciphertext: Buffer.from(ciphertext), keyId }, { accountId, field: ACCESS_TOKEN_FIELD }), accountId)
      : { ciphertext: null, keyId: null, expiresAt: null };
    const { count } = await tx.accessToken.updateMany({ where: { accountId, keyId, ciphertext }, data });
    reencrypted += count;
  }
  return { found: rows.length, reencrypted };
}

function seal(box: SecretBox, value: string, accountId: string, field: string = ACCESS_TOKEN_FIELD) {
  const { ciphertext, keyId } = box.seal(value, { accountId, field });
  return { ciphertext: Uint8Array.from(ciphertext), keyId };
}

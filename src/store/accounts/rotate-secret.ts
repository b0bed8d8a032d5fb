import { type Account, type AccountKind, INBOUND_SECRETS } from "../../domain/account.ts";
import type { Actor } from "../../domain/audit.ts";
import { toExternalSecretName } from "../../domain/external-secret-name.ts";
import type { SecretBox } from "../../domain/secret-box.ts";
import type { SecretRotation } from "../../domain/store.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { writeAudit } from "../audit.ts";
import { readDatabaseNow, translate } from "../database/database-now.ts";
import { toAccount, withSecrets } from "./account-row.ts";
import { openSecret, sealSecret } from "./sealed-secrets.ts";
import { touched } from "./update-account.ts";

/** So many old values count beside the current one; with one more, the oldest goes. Whoever rotates daily with long overlaps sees that. */
const OLD_VALUES_MAX = 3;

/**
 * Gives a secret a new value; what it replaces counts until `overlapUntil`. The value that is current already changes nothing: a
 * rotation whose answer was lost can be asked for again. A value that was replaced and comes back is current, and old no more.
 */
export async function rotateSecret(
  prisma: PrismaClient,
  box: SecretBox,
  id: string,
  { name: role, value, overlapUntil }: SecretRotation,
  actor: Actor,
): Promise<Account | null> {
  return prisma.$transaction(async (tx) => {
    const kind = await lockAccount(tx, id);
    if (kind === null) return null;
    const name = toExternalSecretName(role, kind);
    const rows = await tx.accountSecret.findMany({ where: { accountId: id, name }, orderBy: { id: "desc" } });
    const current = rows.find(({ expiresAt }) => expiresAt === null);
    if (current === undefined || openSecret(box, current) !== value) {
      const now = await readDatabaseNow(tx);
      const keepUntil = INBOUND_SECRETS.has(role) && overlapUntil !== null ? translate(overlapUntil, new Date(), now) : null;
      const isStillGood = ({ expiresAt }: { expiresAt: Date | null }) => expiresAt === null || expiresAt > now;
      const kept = rows.filter((row) => keepUntil !== null && isStillGood(row) && openSecret(box, row) !== value);
      const keptIds = kept.slice(0, OLD_VALUES_MAX).map((row) => row.id);
      await tx.accountSecret.deleteMany({ where: { accountId: id, name, id: { notIn: keptIds } } });
      await tx.accountSecret.updateMany({ where: { accountId: id, name, expiresAt: null }, data: { expiresAt: keepUntil } });
      await tx.accountSecret.create({ data: { ...sealSecret(box, id, name, value), accountId: id } });
      // A token of the old secret must not outlive it.
      if (role === "platformSecret") await tx.accessToken.deleteMany({ where: { accountId: id } });
      await tx.account.update({ where: { id }, data: touched() });
      const detail = { oldValueCountsUntil: current === undefined ? null : (keepUntil?.toISOString() ?? null) };
      await writeAudit(tx, { actor, action: "secret.rotated", accountId: id, subject: name, detail });
    }
    return toAccount(await tx.account.findUniqueOrThrow({ where: { id }, include: withSecrets(await readDatabaseNow(tx)) }));
  });
}

/**
 * Changes of one account's secrets come one after the other, or two rotations at once would leave two current values.
 * @returns the account's kind; null when there is no such account
 */
export async function lockAccount(tx: Prisma.TransactionClient, id: string): Promise<AccountKind | null> {
  const [row] = await tx.$queryRaw<{ kind: AccountKind }[]>`SELECT kind FROM accounts WHERE id = ${id} FOR UPDATE`;
  return row?.kind ?? null;
}

import type { Account, SecretName } from "../../domain/account.ts";
import type { Actor } from "../../domain/audit.ts";
import { toExternalSecretName } from "../../domain/external-secret-name.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { writeAudit } from "../audit.ts";
import { readDatabaseNow } from "../database/database-now.ts";
import { toAccount, withSecrets } from "./account-row.ts";
import { lockAccount } from "./rotate-secret.ts";
import { touched } from "./update-account.ts";

/** Ends the overlap of a secret now. With nothing to end, nothing changes and nothing is written down. */
export async function revokeOldSecrets(prisma: PrismaClient, id: string, role: SecretName, actor: Actor): Promise<Account | null> {
  return prisma.$transaction(async (tx) => {
    const kind = await lockAccount(tx, id);
    if (kind === null) return null;
    const name = toExternalSecretName(role, kind);
    const { count } = await tx.accountSecret.deleteMany({ where: { accountId: id, name, expiresAt: { not: null } } });
    if (count > 0) {
      await tx.account.update({ where: { id }, data: touched() });
      await writeAudit(tx, { actor, action: "secret.revoked", accountId: id, subject: name, detail: { values: count } });
    }
    return toAccount(await tx.account.findUniqueOrThrow({ where: { id }, include: withSecrets(await readDatabaseNow(tx)) }));
  });
}

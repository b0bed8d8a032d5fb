import { ConfigError } from "../../base/errors.ts";
import type { Account } from "../../domain/account.ts";
import { ALL_ACCOUNTS } from "../../domain/api-key.ts";
import type { Actor } from "../../domain/audit.ts";
import type { SecretBox } from "../../domain/secret-box.ts";
import type { AccountStore, NewAccount } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { writeAudit } from "../audit.ts";
import { readDatabaseNow } from "../database/database-now.ts";
import { inScope } from "../scope.ts";
import { isUniqueViolation, toDuplicateError } from "./account-identity.ts";
import { toAccount, toJson, withSecrets } from "./account-row.ts";
import { clearWarning, setWarning } from "./account-warnings.ts";
import { revokeOldSecrets } from "./revoke-old-secrets.ts";
import { rotateSecret } from "./rotate-secret.ts";
import { openSecrets, sealSecrets } from "./sealed-secrets.ts";
import { updateAccount } from "./update-account.ts";

export function createAccountStore(prisma: PrismaClient, box: SecretBox): AccountStore {
  return {
    create: (account, by) => create(prisma, box, account, by),
    list: async (scope = ALL_ACCOUNTS) => {
      const rows = await prisma.account.findMany({
        where: { id: inScope(scope) },
        include: withSecrets(await readDatabaseNow(prisma)),
        orderBy: { id: "asc" },
      });
      return rows.map(toAccount);
    },
    get: async (id) => {
      const row = await prisma.account.findUnique({ where: { id }, include: withSecrets(await readDatabaseNow(prisma)) });
      return row === null ? null : toAccount(row);
    },
    update: (id, change, by) => updateAccount(prisma, box, id, change, by),
    setWarning: (id, warning) => setWarning(prisma, id, warning),
    clearWarning: (id, code) => clearWarning(prisma, id, code),
    remove: (id, by) =>
      prisma.$transaction(async (tx) => {
        const { count } = await tx.account.deleteMany({ where: { id } });
        if (count > 0) await writeAudit(tx, { actor: by, action: "account.deleted", accountId: id, subject: null, detail: {} });
        return count > 0;
      }),
    rotateSecret: (id, rotation, by) => rotateSecret(prisma, box, id, rotation, by),
    revokeOldSecrets: (id, name, by) => revokeOldSecrets(prisma, id, name, by),
    getWithSecrets: async (id) => {
      const now = await readDatabaseNow(prisma);
      const row = await prisma.account.findUnique({ where: { id }, include: withSecrets(now) });
      return row === null ? null : { account: toAccount(row), ...openSecrets(box, row.secrets, now) };
    },
    getVersion: async (id) => (await prisma.account.findUnique({ where: { id }, select: { version: true } }))?.version ?? null,
  };
}

async function create(prisma: PrismaClient, box: SecretBox, { id, name, settings, secrets }: NewAccount, actor: Actor): Promise<Account> {
  try {
    return await prisma.$transaction(async (tx) => {
      const row = await tx.account.create({
        data: {
          id,
          name,
          kind: settings.kind,
          settings: toJson(settings),
          secrets: { create: sealSecrets(box, id, settings.kind, secrets) },
        },
        include: withSecrets(await readDatabaseNow(tx)),
      });
      await writeAudit(tx, { actor, action: "account.created", accountId: id, subject: null, detail: { kind: settings.kind, name } });
      return toAccount(row);
    });
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    const hasId = (await prisma.account.findUnique({ where: { id }, select: { id: true } })) !== null;
    if (!hasId) throw await toDuplicateError(prisma, settings, cause);
    throw new ConfigError("ACCOUNT_EXISTS", `there is an account "${id}" already; choose another id or change that one`, { cause });
  }
}

import type { Account, AccountKind } from "../../domain/account.ts";
import type { Actor, NewAuditEntry } from "../../domain/audit.ts";
import type { ExternalSecretName } from "../../domain/external-secret-name.ts";
import type { SecretBox } from "../../domain/secret-box.ts";
import type { AccountChange } from "../../domain/store.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";
import { writeAudit } from "../audit.ts";
import { readDatabaseNow } from "../database/database-now.ts";
import { isUniqueViolation, toDuplicateError } from "./account-identity.ts";
import { toAccount, toJson, withSecrets } from "./account-row.ts";
import { sealSecrets } from "./sealed-secrets.ts";

/**
 * Only the given parts change. A secret that is given replaces the current one at once, and no old value of it counts any more.
 * @throws AccountDuplicateError when another account has the new appId, or corpId and agentId; then nothing has changed
 */
export async function updateAccount(
  prisma: PrismaClient,
  box: SecretBox,
  id: string,
  change: AccountChange,
  actor: Actor,
): Promise<Account | null> {
  try {
    return await prisma.$transaction((tx) => update(tx, box, id, change, actor));
  } catch (cause) {
    if (change.settings === undefined || !isUniqueViolation(cause)) throw cause;
    throw await toDuplicateError(prisma, change.settings, cause);
  }
}

async function update(
  tx: Prisma.TransactionClient,
  box: SecretBox,
  id: string,
  change: AccountChange,
  actor: Actor,
): Promise<Account | null> {
  const { name, enabled, settings, secrets = {} } = change;
  const before = await tx.account.findUnique({ where: { id } });
  if (before === null) return null;
  await tx.account.update({
    where: { id },
    data: {
      ...(name === undefined ? {} : { name }),
      ...(enabled === undefined ? {} : { enabled }),
      ...(settings === undefined ? {} : { settings: toJson(settings) }),
      ...touched(),
    },
  });
  // A token of the old app or the old secret must not outlive them.
  if (settings !== undefined || Object.keys(secrets).length > 0) await tx.accessToken.deleteMany({ where: { accountId: id } });
  const sealed = sealSecrets(box, id, before.kind as AccountKind, secrets);
  const names = sealed.map((secret) => secret.name);
  await tx.accountSecret.deleteMany({ where: { accountId: id, name: { in: names } } });
  await tx.accountSecret.createMany({ data: sealed.map((secret) => ({ ...secret, accountId: id })) });
  for (const entry of toAuditEntries(before, change, names)) await writeAudit(tx, { ...entry, actor, accountId: id });
  return toAccount(await tx.account.findUniqueOrThrow({ where: { id }, include: withSecrets(await readDatabaseNow(tx)) }));
}

/** What every change of an account does to its row. What was wrong may be mended by it; if not, the next try says so again. */
export function touched() {
  return { warnings: [], version: { increment: 1 }, updatedAt: new Date() };
}

/** Says which fields became different, by their paths, and which secrets were given anew. */
function toAuditEntries(
  before: Prisma.AccountGetPayload<object>,
  { name, enabled, settings }: AccountChange,
  secrets: readonly ExternalSecretName[],
): Omit<NewAuditEntry, "actor" | "accountId">[] {
  const old = toPaths({ name: before.name, ...(before.settings as object) });
  const now = toPaths({ name: name ?? before.name, ...(settings ?? (before.settings as object)) });
  const fields = [...new Set([...old.keys(), ...now.keys()])].filter((path) => old.get(path) !== now.get(path)).sort();
  return [
    ...(fields.length === 0 ? [] : [{ action: "account.changed" as const, subject: null, detail: { fields } }]),
    ...(enabled === undefined || enabled === before.enabled
      ? []
      : [{ action: enabled ? ("account.enabled" as const) : ("account.disabled" as const), subject: null, detail: {} }]),
    ...secrets.map((secret) => ({ action: "secret.changed" as const, subject: secret, detail: {} })),
  ];
}

/** {desk: {url: "…"}} as "desk.url" → "…", in JSON. */
function toPaths(value: object, prefix = ""): Map<string, string> {
  const paths = Object.entries(value).map(([name, part]): [string, string][] =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? [...toPaths(part, `${prefix}${name}.`)]
      : [[`${prefix}${name}`, JSON.stringify(part)]],
  );
  return new Map(paths.flat());
}

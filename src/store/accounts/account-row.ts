import type { Account, AccountSettings, AccountWarning, FormerMark, SecretMark, SecretName } from "../../domain/account.ts";
import { type ExternalSecretName, toSecretName } from "../../domain/external-secret-name.ts";
import type { Prisma } from "../../generated/prisma/client.ts";

export type AccountRow = Prisma.AccountGetPayload<{ include: { secrets: true } }>;

/**
 * Of each secret the current value, which is the latest and has no end, then the old ones that still count, the latest first.
 * @param now by the database's clock
 */
export function withSecrets(now: Date) {
  const isGood = { OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  return { secrets: { where: isGood, orderBy: { id: "desc" } } } satisfies Prisma.AccountInclude;
}

export function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    version: row.version,
    warnings: toWarnings(row.warnings),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    ...(row.settings as unknown as AccountSettings),
    secrets: toMarks(row.secrets),
  };
}

/** Through text, so that what is stored is JSON and nothing else. */
export function toJson(settings: AccountSettings): Prisma.InputJsonObject {
  return JSON.parse(JSON.stringify(settings));
}

function toMarks(secrets: AccountRow["secrets"]): Partial<Record<SecretName, SecretMark>> {
  const marks = secrets.flatMap(({ name, hint, changedAt, expiresAt }) => {
    if (expiresAt !== null) return [];
    return [[toSecretName(name as ExternalSecretName), { set: true, hint, changedAt, previous: toFormerMarks(secrets, name) }]];
  });
  return Object.fromEntries(marks);
}

function toFormerMarks(secrets: AccountRow["secrets"], name: string): FormerMark[] {
  return secrets.flatMap((secret) =>
    secret.name === name && secret.expiresAt !== null ? [{ hint: secret.hint, expiresAt: secret.expiresAt }] : [],
  );
}

function toWarnings(json: unknown): AccountWarning[] {
  const stored = json as (Omit<AccountWarning, "since"> & { since: string })[];
  return stored.map(({ since, ...warning }) => ({ ...warning, since: new Date(since) }));
}

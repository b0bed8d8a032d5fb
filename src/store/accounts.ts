import type { Account, AccountSecrets, AccountSettings, AccountWarning, SecretMark, SecretName } from "../domain/account.ts";
import { ALL_ACCOUNTS } from "../domain/api-key.ts";
import type { Actor, NewAuditEntry } from "../domain/audit.ts";
import { ConfigError } from "../domain/errors.ts";
import type { SecretBox } from "../domain/secret-box.ts";
import type { AccountChange, AccountStore, NewAccount } from "../domain/store.ts";
import { Prisma, type PrismaClient } from "../generated/prisma/client.ts";
import { writeAudit } from "./audit.ts";
import { inScope } from "./scope.ts";

type Row = Prisma.AccountGetPayload<{ include: { secrets: true } }>;
type SecretRow = Row["secrets"][number];

/** The current values only: an old one in its overlap has an end. */
const WITH_SECRETS = { secrets: { where: { expiresAt: null } } } as const;

export function createAccountStore(prisma: PrismaClient, box: SecretBox): AccountStore {
  return {
    create: (account, by) => create(prisma, box, account, by),
    list: async (scope = ALL_ACCOUNTS) => {
      const rows = await prisma.account.findMany({ where: { id: inScope(scope) }, include: WITH_SECRETS, orderBy: { id: "asc" } });
      return rows.map(toAccount);
    },
    get: async (id) => {
      const row = await prisma.account.findUnique({ where: { id }, include: WITH_SECRETS });
      return row === null ? null : toAccount(row);
    },
    update: (id, change, by) => update(prisma, box, id, change, by),
    setWarning: async (id, warning) => {
      await prisma.$executeRaw`
        UPDATE accounts SET warning = ${warning === null ? null : JSON.stringify(warning)}::jsonb, version = version + 1
        WHERE id = ${id} AND warning ->> 'code' IS DISTINCT FROM ${warning?.code ?? null}`;
    },
    remove: (id, by) =>
      prisma.$transaction(async (tx) => {
        const { count } = await tx.account.deleteMany({ where: { id } });
        if (count > 0) await writeAudit(tx, { actor: by, action: "account.deleted", accountId: id, subject: null, detail: {} });
        return count > 0;
      }),
    getWithSecrets: async (id) => {
      const row = await prisma.account.findUnique({ where: { id }, include: WITH_SECRETS });
      return row === null ? null : { account: toAccount(row), secrets: openSecrets(box, row) };
    },
    getVersion: async (id) => (await prisma.account.findUnique({ where: { id }, select: { version: true } }))?.version ?? null,
  };
}

async function create(prisma: PrismaClient, box: SecretBox, { id, name, settings, secrets }: NewAccount, actor: Actor): Promise<Account> {
  try {
    return await prisma.$transaction(async (tx) => {
      const row = await tx.account.create({
        data: { id, name, kind: settings.kind, settings: toJson(settings), secrets: { create: sealSecrets(box, id, secrets) } },
        include: WITH_SECRETS,
      });
      await writeAudit(tx, { actor, action: "account.created", accountId: id, subject: null, detail: { kind: settings.kind, name } });
      return toAccount(row);
    });
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new ConfigError("ACCOUNT_EXISTS", `there is an account "${id}" already; choose another id or change that one`, { cause });
  }
}

async function update(prisma: PrismaClient, box: SecretBox, id: string, change: AccountChange, actor: Actor): Promise<Account | null> {
  const { name, enabled, settings, secrets = {} } = change;
  return prisma.$transaction(async (tx) => {
    const before = await tx.account.findUnique({ where: { id } });
    if (before === null) return null;
    await tx.account.update({
      where: { id },
      data: {
        ...(name === undefined ? {} : { name }),
        ...(enabled === undefined ? {} : { enabled }),
        ...(settings === undefined ? {} : { settings: toJson(settings) }),
        // What was wrong may be mended by the change; if not, the next try says so again.
        warning: Prisma.DbNull,
        version: { increment: 1 },
        updatedAt: new Date(),
      },
    });
    // A token of the old app or the old secret must not outlive them.
    if (settings !== undefined || Object.keys(secrets).length > 0) await tx.accessToken.deleteMany({ where: { accountId: id } });
    const sealed = sealSecrets(box, id, secrets);
    await tx.accountSecret.deleteMany({ where: { accountId: id, expiresAt: null, name: { in: sealed.map((secret) => secret.name) } } });
    await tx.accountSecret.createMany({ data: sealed.map((secret) => ({ ...secret, accountId: id })) });
    for (const entry of toAuditEntries(before, change)) await writeAudit(tx, { ...entry, actor, accountId: id });
    return toAccount(await tx.account.findUniqueOrThrow({ where: { id }, include: WITH_SECRETS }));
  });
}

/** Says which fields became different, by their paths, and which secrets were given anew. */
function toAuditEntries(
  before: Prisma.AccountGetPayload<object>,
  { name, enabled, settings, secrets = {} }: AccountChange,
): Omit<NewAuditEntry, "actor" | "accountId">[] {
  const old = toPaths({ name: before.name, ...(before.settings as object) });
  const now = toPaths({ name: name ?? before.name, ...(settings ?? (before.settings as object)) });
  const fields = [...new Set([...old.keys(), ...now.keys()])].filter((path) => old.get(path) !== now.get(path)).sort();
  return [
    ...(fields.length === 0 ? [] : [{ action: "account.changed" as const, subject: null, detail: { fields } }]),
    ...(enabled === undefined || enabled === before.enabled
      ? []
      : [{ action: enabled ? ("account.enabled" as const) : ("account.disabled" as const), subject: null, detail: {} }]),
    ...Object.keys(secrets).map((secret) => ({ action: "secret.changed" as const, subject: secret, detail: {} })),
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

function sealSecrets(box: SecretBox, accountId: string, secrets: AccountSecrets) {
  return Object.entries(secrets).map(([name, value]) => {
    const { ciphertext, keyId } = box.seal(value, { accountId, field: name });
    return { name, ciphertext: Uint8Array.from(ciphertext), keyId, hint: toHint(value) };
  });
}

function openSecrets(box: SecretBox, { id, secrets }: Row): AccountSecrets {
  const open = ({ name, ciphertext, keyId }: SecretRow) => [
    name,
    box.open({ ciphertext: Buffer.from(ciphertext), keyId }, { accountId: id, field: name }),
  ];
  return Object.fromEntries(secrets.map(open));
}

/** Enough to tell two values apart, too little to help guessing: the last four characters of a value of sixteen or more. */
function toHint(value: string): string {
  return value.length >= 16 ? `…${value.slice(-4)}` : "…";
}

function toAccount(row: Row): Account {
  const marks: Partial<Record<SecretName, SecretMark>> = {};
  for (const { name, hint, changedAt } of row.secrets) marks[name as SecretName] = { set: true, hint, changedAt };
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    version: row.version,
    warning: toWarning(row.warning),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    ...(row.settings as unknown as AccountSettings),
    secrets: marks,
  };
}

function toWarning(json: unknown): AccountWarning | null {
  if (json === null) return null;
  const { since, ...warning } = json as Omit<AccountWarning, "since"> & { since: string };
  return { ...warning, since: new Date(since) };
}

/** Through text, so that what is stored is JSON and nothing else. */
function toJson(settings: AccountSettings): Prisma.InputJsonObject {
  return JSON.parse(JSON.stringify(settings));
}

export function isUniqueViolation(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "P2002";
}

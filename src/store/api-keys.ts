import type { ApiKey, NewApiKey, Role } from "../domain/api-key.ts";
import type { Actor, NewAuditEntry } from "../domain/audit.ts";
import type { ApiKeyStore } from "../domain/store.ts";
import { Prisma, type PrismaClient } from "../generated/prisma/client.ts";
import { writeAudit } from "./audit.ts";

type Row = Prisma.ApiKeyGetPayload<object>;

const COLUMNS = Prisma.raw(
  'id, name, role, account_ids AS "accountIds", created_at AS "createdAt", last_used_at AS "lastUsedAt", expires_at AS "expiresAt"',
);
const IS_VALID = Prisma.raw("(expires_at IS NULL OR expires_at > now())");
/** Who may manage keys. */
const IS_ADMIN = Prisma.sql`role = 'admin' AND account_ids = '{}' AND ${IS_VALID}`;

export function createApiKeyStore(prisma: PrismaClient): ApiKeyStore {
  return {
    find: async (hash) => {
      const [row] = await prisma.$queryRaw<Omit<Row, "hash">[]>`SELECT ${COLUMNS} FROM api_keys WHERE hash = ${hash} AND ${IS_VALID}`;
      return row === undefined ? null : toApiKey(row);
    },
    list: async () => (await prisma.apiKey.findMany({ orderBy: [{ createdAt: "asc" }, { id: "asc" }] })).map(toApiKey),
    countAdmins: async () => {
      const [row] = await prisma.$queryRaw<{ admins: number }[]>`SELECT count(*)::int AS admins FROM api_keys WHERE ${IS_ADMIN}`;
      return row?.admins ?? 0;
    },
    create: (key, by) => create(prisma, key, by),
    replace: (key, by) => replace(prisma, key, by),
    remove: (id, by) => remove(prisma, id, by),
    touch: async (id) => {
      await prisma.$executeRaw`
        UPDATE api_keys SET last_used_at = now()
        WHERE id = ${id} AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`;
    },
  };
}

async function create(prisma: PrismaClient, key: NewApiKey, by: Actor): Promise<ApiKey | null> {
  return prisma.$transaction(async (tx) => {
    const data = { ...key, accountIds: [...key.accountIds] };
    const [row] = await tx.apiKey.createManyAndReturn({ data, skipDuplicates: true });
    if (row === undefined) return null;
    await writeAudit(tx, toEntry("api-key.created", key, by));
    return toApiKey(row);
  });
}

async function replace(prisma: PrismaClient, key: NewApiKey, by: Actor): Promise<void> {
  const { id, hash } = key;
  // Several processes may start at the same moment.
  await oneAtATime(prisma, async (tx) => {
    const before = await tx.apiKey.findUnique({ where: { id } });
    if (before?.hash === hash) return;
    // The same key may stand under another id already, such as the generated one that was then put into the settings.
    const others = await tx.$queryRaw<Row[]>`DELETE FROM api_keys WHERE hash = ${hash} RETURNING ${COLUMNS}`;
    for (const other of others) await writeAudit(tx, toEntry("api-key.deleted", toApiKey(other), by));
    const data = { ...key, accountIds: [...key.accountIds], createdAt: new Date(), lastUsedAt: null };
    await tx.apiKey.upsert({ where: { id }, create: data, update: data });
    await writeAudit(tx, toEntry(before === null ? "api-key.created" : "api-key.changed", key, by));
  });
}

async function remove(prisma: PrismaClient, id: string, by: Actor): Promise<"removed" | "unknown" | "last-admin"> {
  // Of two that remove the last two admin keys, the second counts when the first is done.
  return oneAtATime(prisma, async (tx) => {
    const admins = await tx.$queryRaw<{ id: string }[]>`SELECT id FROM api_keys WHERE ${IS_ADMIN}`;
    if (admins.length === 1 && admins[0]?.id === id) return "last-admin";
    const [row] = await tx.$queryRaw<Row[]>`DELETE FROM api_keys WHERE id = ${id} RETURNING ${COLUMNS}`;
    if (row === undefined) return "unknown";
    await writeAudit(tx, toEntry("api-key.deleted", toApiKey(row), by));
    return "removed";
  });
}

/** Any number, the same in all processes: "keys" in ASCII. */
const KEYS_LOCK = 0x6b657973n;
/** Each of those before may take its time: with the lock timeout of all other statements, a start beside slow ones failed. */
const TURN_MS_MAX = 15_000;

/** One transaction of this kind at a time, whichever process runs it. */
function oneAtATime<T>(prisma: PrismaClient, work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T> {
  const inTurn = async (tx: Prisma.TransactionClient) => {
    await tx.$executeRaw`SELECT set_config('lock_timeout', ${String(TURN_MS_MAX)}, true)`;
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${KEYS_LOCK}::bigint)`;
    return work(tx);
  };
  return prisma.$transaction(inTurn, { maxWait: TURN_MS_MAX, timeout: 2 * TURN_MS_MAX });
}

/** Of all accounts' log: a key that is limited to some accounts does not see keys. */
function toEntry(action: NewAuditEntry["action"], { id, name, role, accountIds }: Omit<NewApiKey, "hash">, actor: Actor): NewAuditEntry {
  return { actor, action, accountId: null, subject: id, detail: { name, role, accountIds } };
}

function toApiKey({ id, name, role, accountIds, createdAt, lastUsedAt, expiresAt }: Omit<Row, "hash">): ApiKey {
  return { id, name, role: role as Role, accountIds, createdAt, lastUsedAt, expiresAt };
}

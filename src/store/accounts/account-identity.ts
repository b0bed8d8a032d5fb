import { z } from "zod";
import { AccountDuplicateError } from "../../base/errors.ts";
import type { AccountSettings } from "../../domain/account.ts";
import { Prisma, type PrismaClient } from "../../generated/prisma/client.ts";
import { toJson } from "./account-row.ts";

/*
 * An account's identity at the platform: its appId, or its corpId and agentId. The unique index `accounts_identity_key` gives each
 * identity to at most one account, also when two replicas write at once. Accounts older than the index may share an identity and are
 * kept: the oldest has it, the others are marked `is_duplicate` and lose the mark when they change their identity, or when it becomes
 * free.
 */

type Tx = Prisma.TransactionClient;

export async function readIdentity(tx: Tx, id: string): Promise<string | null> {
  const [row] = await tx.$queryRaw<{ identity: string }[]>`SELECT account_identity(settings) AS identity FROM accounts WHERE id = ${id}`;
  return row?.identity ?? null;
}

/** After the settings of an account have changed, or it was deleted: a marked account whose identity is free now holds it. */
export async function passOnIdentity(tx: Tx, id: string, before: string | null): Promise<void> {
  await tx.$executeRaw`
    UPDATE accounts SET is_duplicate = false
    WHERE id = ${id} AND is_duplicate AND account_identity(settings) IS DISTINCT FROM ${before}::text`;
  await tx.$executeRaw`
    UPDATE accounts SET is_duplicate = false
    WHERE id = (SELECT id FROM accounts WHERE is_duplicate AND account_identity(settings) = ${before} ORDER BY created_at, id LIMIT 1)
      AND NOT EXISTS (SELECT 1 FROM accounts WHERE NOT is_duplicate AND account_identity(settings) = ${before})`;
}

/** Which account has the identity that these settings would need. */
export async function toDuplicateError(prisma: PrismaClient, settings: AccountSettings, cause: unknown): Promise<AccountDuplicateError> {
  const json = JSON.stringify(toJson(settings));
  const [row] = await prisma.$queryRaw<{ id: string }[]>`
    SELECT id FROM accounts WHERE NOT is_duplicate AND account_identity(settings) = account_identity(${json}::jsonb)`;
  return new AccountDuplicateError(row?.id ?? null, toWords(settings), { cause });
}

function toWords(settings: AccountSettings): string {
  if (settings.kind === "official_account") return `the appId ${settings.wechat.appId}`;
  return `the corpId ${settings.wechat.corpId} with the agentId ${settings.wechat.agentId}`;
}

/** PostgreSQL's 23505, of a statement of Prisma's (P2002) or of a raw one (P2010, with the driver's error inside). */
export function isUniqueViolation(cause: unknown): boolean {
  if (!(cause instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return cause.code === "P2002" || (cause.code === "P2010" && rawViolation.safeParse(cause.meta).success);
}

const rawViolation = z.object({
  driverAdapterError: z.object({
    cause: z.union([z.object({ kind: z.literal("UniqueConstraintViolation") }), z.object({ originalCode: z.literal("23505") })]),
  }),
});

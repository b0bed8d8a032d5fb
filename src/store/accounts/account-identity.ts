import { z } from "zod";
import { AccountDuplicateError } from "../../base/errors.ts";
import type { AccountSettings } from "../../domain/account.ts";
import { Prisma, type PrismaClient } from "../../generated/prisma/client.ts";
import { toJson } from "./account-row.ts";

/*
 * An account's identity at the platform: its appId, or its corpId and agentId. The unique index `accounts_identity_key` gives each
 * identity to at most one account, also when two replicas write at once.
 */

/** Which account has the identity that these settings would need. */
export async function toDuplicateError(prisma: PrismaClient, settings: AccountSettings, cause: unknown): Promise<AccountDuplicateError> {
  const json = JSON.stringify(toJson(settings));
  const [row] = await prisma.$queryRaw<{ id: string }[]>`
    SELECT id FROM accounts WHERE account_identity(settings) = account_identity(${json}::jsonb)`;
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

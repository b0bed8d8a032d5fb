import type { AccountWarning } from "../../domain/account.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";
import { toJsonParameter } from "../database/rows-parameter.ts";

/** The version moves on, so that every process reads the account again. */
export async function setWarning(prisma: PrismaClient, id: string, { code, sentence }: Omit<AccountWarning, "since">): Promise<void> {
  await prisma.$executeRaw`
    UPDATE accounts SET version = version + 1,
      warnings = jsonb_build_array(${toJsonParameter({ code, sentence })}::jsonb || jsonb_build_object('since', now())) || warnings
    WHERE id = ${id} AND NOT warnings @> jsonb_build_array(jsonb_build_object('code', ${code}::text))`;
}

export async function clearWarning(prisma: PrismaClient, id: string, code: string): Promise<void> {
  await prisma.$executeRaw`
    UPDATE accounts SET version = version + 1,
      warnings = (SELECT COALESCE(jsonb_agg(w ORDER BY n), '[]')
                  FROM jsonb_array_elements(warnings) WITH ORDINALITY AS t (w, n) WHERE w ->> 'code' <> ${code})
    WHERE id = ${id} AND warnings @> jsonb_build_array(jsonb_build_object('code', ${code}::text))`;
}

import type { SecretBox } from "../domain/secret-box.ts";
import type { AccessTokenStore } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";

/** What an access token is sealed as. */
export const ACCESS_TOKEN_FIELD = "accessToken";

/** Tokens are secrets and are encrypted like them. */
export function createAccessTokenStore(prisma: PrismaClient, box: SecretBox): AccessTokenStore {
  return {
    get: async (accountId) => {
      const row = await prisma.accessToken.findUnique({ where: { accountId } });
      if (row?.ciphertext == null || row.keyId === null || row.expiresAt === null) return null;
      // Left by a process with another master key: a token can be fetched again, so it is no reason to fail. The next put replaces it.
      if (!box.canOpen(row.keyId)) return null;
      const value = box.open({ ciphertext: Buffer.from(row.ciphertext), keyId: row.keyId }, { accountId, field: ACCESS_TOKEN_FIELD });
      return { value, expiresAt: row.expiresAt };
    },

    lease: async (accountId, leaseMs) => {
      const rows = await prisma.$queryRaw<unknown[]>`
        INSERT INTO access_tokens AS t (account_id, refreshing_until) VALUES (${accountId}, now() + ${leaseMs}::int * interval '1 millisecond')
        ON CONFLICT (account_id) DO UPDATE SET refreshing_until = excluded.refreshing_until
        WHERE t.refreshing_until IS NULL OR t.refreshing_until <= now()
        RETURNING account_id`;
      return rows.length > 0;
    },

    put: async (accountId, { value, expiresAt }) => {
      const { ciphertext, keyId } = box.seal(value, { accountId, field: ACCESS_TOKEN_FIELD });
      const token = { ciphertext: Uint8Array.from(ciphertext), keyId, expiresAt, fetchedAt: new Date(), refreshingUntil: null };
      await prisma.accessToken.upsert({ where: { accountId }, create: { accountId, ...token }, update: token });
    },

    unlease: async (accountId) => {
      await prisma.accessToken.updateMany({ where: { accountId }, data: { refreshingUntil: null } });
    },
  };
}

import type { SecretBox } from "../../domain/secret-box.ts";
import type { AccessTokenStore } from "../../domain/store.ts";
import type { PrismaClient } from "../../generated/prisma/client.ts";

/** What an access token is sealed as. */
export const ACCESS_TOKEN_FIELD = "accessToken";

interface TokenRow {
  ciphertext: Uint8Array | null;
  key_id: string | null;
  left_ms: number | null;
}

/**
 * Tokens are secrets and are encrypted like them. Their expiry is stored by the database's clock and translated to the clock of the
 * process that reads it, so clocks of two processes that differ do not change a token's lifetime.
 */
export function createAccessTokenStore(prisma: PrismaClient, box: SecretBox): AccessTokenStore {
  return {
    get: async (accountId) => {
      const [row] = await prisma.$queryRaw<TokenRow[]>`
        SELECT ciphertext, key_id, (EXTRACT(epoch FROM expires_at - now()) * 1000)::float8 AS left_ms
        FROM access_tokens WHERE account_id = ${accountId}`;
      if (row === undefined || row.ciphertext === null || row.key_id === null || row.left_ms === null) return null;
      // Left by a process with another master key: a token can be fetched again, so it is no reason to fail. The next put replaces it.
      if (!box.canOpen(row.key_id)) return null;
      const value = box.open({ ciphertext: Buffer.from(row.ciphertext), keyId: row.key_id }, { accountId, field: ACCESS_TOKEN_FIELD });
      return { value, expiresAt: new Date(Date.now() + row.left_ms) };
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
      await prisma.$executeRaw`
        INSERT INTO access_tokens (account_id, ciphertext, key_id, expires_at, fetched_at)
        VALUES (${accountId}, ${Uint8Array.from(ciphertext)}, ${keyId},
                now() + ${expiresAt.getTime() - Date.now()}::float8 * interval '1 millisecond', now())
        ON CONFLICT (account_id) DO UPDATE SET ciphertext = excluded.ciphertext, key_id = excluded.key_id,
          expires_at = excluded.expires_at, fetched_at = excluded.fetched_at, refreshing_until = NULL`;
    },

    unlease: async (accountId) => {
      await prisma.accessToken.updateMany({ where: { accountId }, data: { refreshingUntil: null } });
    },
  };
}

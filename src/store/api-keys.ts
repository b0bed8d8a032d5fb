import type { ApiKey, Role } from "../domain/api-key.ts";
import type { ApiKeyStore } from "../domain/store.ts";
import type { Prisma, PrismaClient } from "../generated/prisma/client.ts";

type Row = Prisma.ApiKeyGetPayload<object>;

export function createApiKeyStore(prisma: PrismaClient): ApiKeyStore {
  return {
    find: async (hash) => {
      const row = await prisma.apiKey.findUnique({ where: { hash } });
      const isValid = row !== null && (row.expiresAt === null || row.expiresAt > new Date());
      return isValid ? toApiKey(row) : null;
    },
    countAdmins: () => prisma.apiKey.count({ where: { role: "admin" } }),
    create: async ({ accountIds, ...key }) => {
      const { count } = await prisma.apiKey.createMany({ data: { ...key, accountIds: [...accountIds] }, skipDuplicates: true });
      return count > 0;
    },
    replace: async ({ id, accountIds, ...key }) => {
      const data = { ...key, accountIds: [...accountIds] };
      // The same key may stand under another id already, such as the generated one that was then put into the settings.
      await prisma.apiKey.deleteMany({ where: { hash: key.hash, id: { not: id } } });
      await prisma.apiKey.upsert({ where: { id }, create: { id, ...data }, update: data });
    },
  };
}

function toApiKey({ id, name, role, accountIds, createdAt, lastUsedAt, expiresAt }: Row): ApiKey {
  return { id, name, role: role as Role, accountIds, createdAt, lastUsedAt, expiresAt };
}

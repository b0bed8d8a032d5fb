import type { NewAuditEntry } from "../domain/audit.ts";
import type { Prisma } from "../generated/prisma/client.ts";

/** Writes down a change, in the transaction that makes it: what is done is in the log, and what is in the log was done. */
export async function writeAudit(tx: Prisma.TransactionClient, { actor, detail, ...entry }: NewAuditEntry): Promise<void> {
  await tx.auditEntry.create({
    data: { ...entry, actor: actor.id, actorName: actor.name, detail: JSON.parse(JSON.stringify(detail)) },
  });
}

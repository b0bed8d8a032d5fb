-- A poll asks each account for its own due lanes, so that the waiting lanes of one account are not read to find those of another.
ALTER TABLE "outbox_lanes" ADD COLUMN "account_id" TEXT;
UPDATE "outbox_lanes" l SET "account_id" = c."account_id" FROM "conversations" c WHERE c."id" = l."conversation_id";
ALTER TABLE "outbox_lanes" ALTER COLUMN "account_id" SET NOT NULL;

-- Parked lanes, which are most, stay out of it.
DROP INDEX "outbox_lanes_due_at_idx";
CREATE INDEX "outbox_lanes_due_idx" ON "outbox_lanes"("account_id", "direction", "due_at") WHERE (due_at IS NOT NULL);

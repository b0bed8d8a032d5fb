-- Fewer indexes and checks for each message that passes.

-- An entry goes with its message, which goes with its conversation: the second way there cost a lookup and a lock for each entry.
ALTER TABLE "outbox_entries" DROP CONSTRAINT "outbox_entries_conversation_id_direction_fkey";

-- The state changes with each settle. As long as an index holds it, that writes to all indexes of the table.
DROP INDEX "messages_conversation_id_state_idx";
CREATE INDEX "messages_troubled_idx" ON "messages"("conversation_id") WHERE (error_code IS NOT NULL);

-- The tries of a message are numbered already.
DROP INDEX "attempts_message_id_id_idx";
ALTER TABLE "attempts" DROP CONSTRAINT "attempts_pkey",
DROP COLUMN "id",
ADD CONSTRAINT "attempts_pkey" PRIMARY KEY ("message_id", "number");

-- Room in each page for the new version of a row beside its old one.
ALTER TABLE "conversations" SET (fillfactor = 70);
ALTER TABLE "messages" SET (fillfactor = 70);
ALTER TABLE "outbox_entries" SET (fillfactor = 70);
ALTER TABLE "outbox_lanes" SET (fillfactor = 70);

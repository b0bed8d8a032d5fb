-- Entries are only ever looked for by their lane, in their order: that is their primary key. With two indexes for one order the planner
-- took the other one where much waited, and read all that waits in every lane to find the first few of one.
ALTER TABLE "outbox_entries" DROP CONSTRAINT "outbox_entries_pkey",
ADD CONSTRAINT "outbox_entries_pkey" PRIMARY KEY ("conversation_id", "direction", "id");
DROP INDEX "outbox_entries_conversation_id_direction_id_idx";

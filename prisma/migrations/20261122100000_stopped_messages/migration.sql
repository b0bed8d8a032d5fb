-- Looked for by state are only messages that something went wrong with: those that are held or have ended without arriving, and they all
-- say why. The others are no longer in that index, and are written once less when they have arrived; nor can the planner mistake it for
-- a way to a message that it knows by its id.
CREATE INDEX "messages_stopped_idx" ON "messages"("conversation_id") WHERE "error_code" IS NOT NULL;
DROP INDEX "messages_conversation_id_state_idx";

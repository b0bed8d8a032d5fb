-- A push without an id is a repetition while the first has no answer and nothing else has happened in the conversation. Both are read
-- from the conversation's locked row, so that the rule holds on every replica, whatever its clock says.
ALTER TABLE "conversations"
  ADD COLUMN "push_digest" TEXT,
  ADD COLUMN "push_message_ids" TEXT[],
  ADD COLUMN "pushed_at" TIMESTAMPTZ(3),
  ADD COLUMN "push_answered_at" TIMESTAMPTZ(3);

-- How often the sender of an outbound message sent it again.
ALTER TABLE "messages" ADD COLUMN "repetitions" INTEGER NOT NULL DEFAULT 0;

-- When the contact was told that the desk is away, so that it is said once per outage; null again once the desk has taken a message.
ALTER TABLE "conversations" ADD COLUMN "outage_told_at" TIMESTAMPTZ(3);

-- The accounts that an API key is good for; empty: all of them.
ALTER TABLE "api_keys" ADD COLUMN "account_ids" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- Who changed what and when; never a value. No foreign key: the entry outlives the account.
CREATE TABLE "audit_entries" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "actor_name" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "account_id" TEXT,
    "subject" TEXT,
    "detail" JSONB NOT NULL,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "audit_entries_account_id_id_idx" ON "audit_entries"("account_id", "id");

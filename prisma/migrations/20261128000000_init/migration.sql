-- All tables. Applied by the gateway itself under an advisory lock; `prisma migrate deploy` agrees with what it records.
--
-- Which statements run often:
--   a callback   looks up (account_id, dedupe_key) of messages, then writes conversation and message in one statement
--   a settle     updates conversation and message by their keys; no indexed column changes, so no index is written (HOT)
--   a poll       takes queues of one account by inbound_due_at or outbound_due_at: partial indexes that hold only queues that wait
--   the API      lists conversations by (active_at, id) and the messages of one by seq

CREATE TABLE "accounts" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "settings" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "warnings" JSONB NOT NULL DEFAULT '[]',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "accounts_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "account_secrets" (
    "id" BIGSERIAL NOT NULL,
    "account_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "ciphertext" BYTEA NOT NULL,
    "key_id" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "account_secrets_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "access_tokens" (
    "account_id" TEXT NOT NULL,
    "ciphertext" BYTEA,
    "key_id" TEXT,
    "expires_at" TIMESTAMPTZ(3),
    "fetched_at" TIMESTAMPTZ(3),
    "refreshing_until" TIMESTAMPTZ(3),

    CONSTRAINT "access_tokens_pkey" PRIMARY KEY ("account_id")
);

CREATE TABLE "conversations" (
    "id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "open_id" TEXT NOT NULL,
    "nickname" TEXT,
    "number" TEXT,
    "email" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "active_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "status" TEXT NOT NULL DEFAULT 'unknown',
    "turn" INTEGER,
    "agent_name" TEXT,
    "notice" TEXT,
    "replies_remaining" INTEGER,
    "outage_told_at" TIMESTAMPTZ(3),
    "addressed_app" TEXT,
    "push_digest" TEXT,
    "push_message_ids" TEXT[],
    "pushed_at" TIMESTAMPTZ(3),
    "push_answered_at" TIMESTAMPTZ(3),
    "outbound_held_code" TEXT,
    "outbound_held" TEXT,
    "outbound_freed_at" TIMESTAMPTZ(3),
    "inbound_due_at" TIMESTAMPTZ(3),
    "outbound_due_at" TIMESTAMPTZ(3),
    "inbound_failures" INTEGER NOT NULL DEFAULT 0,
    "outbound_failures" INTEGER NOT NULL DEFAULT 0,
    "outbound_progress" INTEGER NOT NULL DEFAULT 0,
    "outbound_begun" INTEGER NOT NULL DEFAULT 0,
    "outbound_begun_at" TIMESTAMPTZ(3),
    "outbound_begun_way" TEXT,
    "outbound_last" BIGINT NOT NULL DEFAULT 0,
    "outbound_done" BIGINT NOT NULL DEFAULT 0,
    "outbound_claim" BIGINT NOT NULL DEFAULT 0,
    "last_reply_at" TIMESTAMPTZ(3),
    "window_closes_at" TIMESTAMPTZ(3),
    "last_inbound_at" TIMESTAMPTZ(3),
    "status_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "inbound_last" BIGINT NOT NULL DEFAULT 0,
    "inbound_done" BIGINT NOT NULL DEFAULT 0,
    "inbound_claim" BIGINT NOT NULL DEFAULT 0,
    "inbound_holder" TEXT,
    "outbound_holder" TEXT,
    "open_callbacks" TIMESTAMPTZ(3)[] DEFAULT ARRAY[]::TIMESTAMPTZ(3)[],

    CONSTRAINT "conversations_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "messages" (
    "id" TEXT NOT NULL,
    "seq" BIGSERIAL NOT NULL,
    "account_id" TEXT NOT NULL,
    "conversation_id" TEXT NOT NULL,
    "direction" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "dedupe_key" TEXT,
    "vendor_message_id" TEXT,
    "type" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "content" JSONB NOT NULL,
    "sent_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "answer" JSONB,
    "answer_message_id" TEXT,
    "place" BIGINT,
    "requeued_at" TIMESTAMPTZ(3),
    "repetitions" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "state" TEXT,
    "way" TEXT,
    "error" TEXT,
    "error_code" TEXT,
    "tried_at" TIMESTAMPTZ(3),
    "tried_ms" INTEGER,
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "messages_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "attempts" (
    "message_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "way" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "code" TEXT,
    "detail" TEXT,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("message_id","number")
);

CREATE TABLE "worker_heartbeats" (
    "holder" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "worker_heartbeats_pkey" PRIMARY KEY ("holder")
);

CREATE TABLE "push_rejects" (
    "id" BIGSERIAL NOT NULL,
    "account_id" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "content_type" TEXT,
    "body" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "push_rejects_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "account_ids" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

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

CREATE TABLE "write_proofs" (
    "id" SMALLINT NOT NULL,
    "proved_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "write_proofs_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "account_secrets_account_id_name_idx" ON "account_secrets"("account_id", "name");

CREATE INDEX "conversations_active_at_id_idx" ON "conversations"("active_at" DESC, "id" DESC);

CREATE INDEX "conversations_account_id_active_at_id_idx" ON "conversations"("account_id", "active_at" DESC, "id" DESC);

CREATE INDEX "conversations_inbound_due_idx" ON "conversations"("account_id", "inbound_due_at") WHERE (inbound_due_at IS NOT NULL);

CREATE INDEX "conversations_outbound_due_idx" ON "conversations"("account_id", "outbound_due_at") WHERE (outbound_due_at IS NOT NULL);

CREATE INDEX "conversations_held_idx" ON "conversations"("account_id") WHERE (outbound_held_code IS NOT NULL);

CREATE INDEX "messages_conversation_id_seq_idx" ON "messages"("conversation_id", "seq" DESC);

CREATE INDEX "messages_created_at_idx" ON "messages" USING BRIN ("created_at");

CREATE INDEX "messages_troubled_idx" ON "messages"("conversation_id") WHERE (error_code IS NOT NULL);

CREATE UNIQUE INDEX "messages_account_id_dedupe_key_key" ON "messages"("account_id", "dedupe_key");

CREATE UNIQUE INDEX "messages_conversation_id_direction_place_key" ON "messages"("conversation_id", "direction", "place");

CREATE INDEX "push_rejects_account_id_id_idx" ON "push_rejects"("account_id", "id");

CREATE UNIQUE INDEX "api_keys_hash_key" ON "api_keys"("hash");

CREATE INDEX "audit_entries_account_id_id_idx" ON "audit_entries"("account_id", "id");

ALTER TABLE "account_secrets" ADD CONSTRAINT "account_secrets_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "access_tokens" ADD CONSTRAINT "access_tokens_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "conversations" ADD CONSTRAINT "conversations_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "messages" ADD CONSTRAINT "messages_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "attempts" ADD CONSTRAINT "attempts_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "push_rejects" ADD CONSTRAINT "push_rejects_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Room in each page for the new version of a row beside its old one.
ALTER TABLE "conversations" SET (fillfactor = 70);
ALTER TABLE "messages" SET (fillfactor = 50);

-- One account per app: WeChat calls one address for an app, and two accounts would take each other's access tokens.
CREATE FUNCTION account_identity(settings JSONB) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT COALESCE(
    'app ' || (settings #>> '{wechat,appId}'),
    'corp ' || (settings #>> '{wechat,corpId}') || ' agent ' || COALESCE(settings #>> '{wechat,agentId}', '')
  )
$$;
CREATE UNIQUE INDEX accounts_identity_key ON accounts (account_identity(settings));

-- Messages as the API, the command line and doctor show them: what waits in a queue has no state of its own.
CREATE VIEW message_states AS
SELECT m.id, m.seq, m.account_id, m.conversation_id, m.direction, m.origin, m.place, m.dedupe_key, m.vendor_message_id, m.type, m.text, m.content,
  COALESCE(m.state, CASE
    WHEN m.direction = 'inbound' AND c.inbound_failures > 0 AND m.place = c.inbound_done + 1 THEN 'retrying'
    WHEN m.direction = 'inbound' THEN 'received'
    WHEN c.outbound_held_code IS NOT NULL THEN 'held'
    WHEN c.outbound_failures > 0 AND m.place = c.outbound_done + 1 THEN 'retrying'
    ELSE 'queued' END) AS state,
  m.way, m.attempts, m.repetitions,
  COALESCE(m.error, CASE WHEN m.state IS NULL AND m.direction = 'outbound' THEN c.outbound_held END) AS error,
  COALESCE(m.error_code, CASE WHEN m.state IS NULL AND m.direction = 'outbound' THEN c.outbound_held_code END) AS error_code,
  m.sent_at, m.created_at, m.tried_at, m.tried_ms, m.settled_at
FROM messages m JOIN conversations c ON c.id = m.conversation_id;

-- What keeps an account from working as its settings say, noticed while sending: {code, sentence, since}. Null when all is well.
ALTER TABLE "accounts" ADD COLUMN "warning" JSONB;

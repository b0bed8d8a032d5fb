-- The WeCom app that the contact last wrote to, by its AgentID. Another app's is never answered with an asynchronous message, which
-- would reach the contact as this account's app.
ALTER TABLE "conversations" ADD COLUMN "addressed_app" TEXT;

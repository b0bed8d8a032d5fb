-- The id of a conversation is made from account and contact: a second unique index said the same again, cost every new contact a
-- write, and let two processes that met a contact in the same moment wait for each other.
DROP INDEX "conversations_account_id_open_id_key";

-- One account per app: WeChat calls one address for an app, and two accounts would take each other's access tokens.
CREATE FUNCTION account_identity(settings JSONB) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT COALESCE(
    'app ' || (settings #>> '{wechat,appId}'),
    'corp ' || (settings #>> '{wechat,corpId}') || ' agent ' || COALESCE(settings #>> '{wechat,agentId}', '')
  )
$$;

-- Accounts of before this rule that break it are kept and work on: the oldest holds the identity, the others are marked.
ALTER TABLE accounts ADD COLUMN is_duplicate BOOLEAN NOT NULL DEFAULT false;
UPDATE accounts a SET is_duplicate = true WHERE EXISTS (
  SELECT 1 FROM accounts b
  WHERE account_identity(b.settings) = account_identity(a.settings) AND (b.created_at, b.id) < (a.created_at, a.id)
);

CREATE UNIQUE INDEX accounts_identity_key ON accounts (account_identity(settings)) WHERE NOT is_duplicate;

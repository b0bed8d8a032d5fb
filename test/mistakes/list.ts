/** Something that is easily set up wrongly, and the sentence that says so; `{…}` stands for what differs from case to case. */
export interface Mistake {
  mistake: string;
  sentence: string;
}

const toBasics = "in the basic configuration of WeChat's console";
const toNetwork = "this machine's way to the network (DNS, firewall, proxy)";

/** docs/troubleshooting.md is made from this list, and each entry is made for real by the test of its group. */
export const MISTAKES = {
  /** Printed by the start, which ends with exit code 2; most are also found by `doctor`. */
  start: {
    "bad-port": { mistake: "a port that is no number", sentence: "WXDESK_PORT must be a whole number from 0 to 65535" },
    "unknown-setting": {
      mistake: "a misspelt setting",
      sentence: "WXDESK_ADMIN_KYE is no setting; did you mean WXDESK_ADMIN_KEY?",
    },
    "value-and-file": {
      mistake: "a setting and its `_FILE` together",
      sentence: "WXDESK_MASTER_KEY and WXDESK_MASTER_KEY_FILE are both set; keep one of them",
    },
    "file-missing": {
      mistake: "a `_FILE` that is not there",
      sentence: "WXDESK_ADMIN_KEY_FILE names a file that cannot be read (ENOENT); check path and permissions",
    },
    "public-url-with-slash": {
      mistake: "a public address with a slash at its end",
      sentence:
        "WXDESK_PUBLIC_URL must be an http or https address without trailing slash, query and password, such as https://gateway.example.com",
    },
    "master-key-missing": {
      mistake: "a database server without a master key",
      sentence:
        "WXDESK_MASTER_KEY is required when DATABASE_URL is set; make one with node -p \"crypto.randomBytes(32).toString('base64')\", the same for all replicas",
    },
    "master-key-short": {
      mistake: "a master key that is too short",
      sentence: "WXDESK_MASTER_KEY must be 32 bytes in base64; make one with node -p \"crypto.randomBytes(32).toString('base64')\"",
    },
    "master-key-wrong": {
      mistake: "another master key than the secrets were stored with",
      sentence:
        'stored secrets are encrypted with a master key that is not at hand: {id} (account "shop"); start with that key in WXDESK_MASTER_KEY, or in WXDESK_MASTER_KEY_PREVIOUS during a rotation',
    },
    "master-key-file-spoilt": {
      mistake: "a master key file that was overwritten",
      sentence:
        "{folder}/master.key does not hold 32 bytes in base64; put the original file back, without it the stored secrets are lost: then begin with an empty WXDESK_DATA_DIR",
    },
    "database-away": {
      mistake: "a database server that is not there",
      sentence:
        "no connection to PostgreSQL on 127.0.0.1:{port} (ECONNREFUSED); nothing listens there: start PostgreSQL, or correct host and port in DATABASE_URL",
    },
    "database-password": {
      mistake: "a wrong password of the database",
      sentence:
        "no connection to PostgreSQL on 127.0.0.1:{port} (28P01); PostgreSQL refuses the password: correct user and password in DATABASE_URL",
    },
    "database-name": {
      mistake: "a database that the server does not have",
      sentence:
        "no connection to PostgreSQL on 127.0.0.1:{port} (3D000); the server has no such database: create it, or correct its name in DATABASE_URL",
    },
    "database-pooled": {
      mistake: "a pooler in transaction mode before the database (pgbouncer's `pool_mode`)",
      sentence:
        "DATABASE_URL leads to a pooler in transaction or statement mode, and the gateway needs sessions that last; let DATABASE_URL name the server itself, or set pool_mode to session for this database",
    },
    "database-starting": {
      mistake: "a database server that is still starting",
      sentence:
        "no connection to PostgreSQL on 127.0.0.1:{port} (57P03); PostgreSQL is starting or stopping: wait until it is up, then start again",
    },
    "database-connections": {
      mistake: "more replicas than the database server has connections for",
      sentence:
        "no connection to PostgreSQL on 127.0.0.1:{port} (53300); the server has no connection left: raise max_connections, or start fewer replicas",
    },
    "database-read-only": {
      mistake: "a database that is read-only, such as a standby",
      sentence:
        "the database is read-only (25006); let DATABASE_URL name the primary, not a standby; else set default_transaction_read_only to off",
    },
    "folder-is-file": {
      mistake: "a data folder that is a file",
      sentence: "the data folder {folder} cannot be used (EEXIST); a file has this name: name another folder in WXDESK_DATA_DIR",
    },
    "folder-shared": {
      mistake: "a data folder that all users share, such as /tmp",
      sentence: "{folder} is a folder that all users of this machine share; name another folder in WXDESK_DATA_DIR, of its own",
    },
    "folder-in-use": {
      mistake: "a second gateway on one data folder",
      sentence:
        "another gateway, or a command of wxdesk, is running on {folder}; stop it, give this one another WXDESK_DATA_DIR, or let both use one server with DATABASE_URL",
    },
    "port-in-use": {
      mistake: "a port that is taken",
      sentence: "cannot listen on 127.0.0.1:{port} (EADDRINUSE); stop what uses it, or choose another WXDESK_HOST or WXDESK_PORT",
    },
  },

  /** In the log, as `callback.refused`; WeChat itself is only told 401 or 400. */
  callbacks: {
    "token-wrong": {
      mistake: "another token than in WeChat's console",
      sentence: "msg_signature is wrong; set the account's token to the one in WeChat's console",
    },
    "token-wrong-wecom": {
      mistake: "another token than in WeCom's console",
      sentence: "msg_signature is wrong; set the account's token to the one in WeCom's console",
    },
    "aes-key-wrong": {
      mistake: "another EncodingAESKey than in WeChat's console",
      sentence: "the encrypted message cannot be read ({reason}); is the account's encodingAesKey the one in the platform's console?",
    },
    "receiver-wrong": {
      mistake: "another appId than the account's",
      sentence: "the callback is encrypted for another receiver; set the account's appId or corpId to the one in the platform's console",
    },
    "plain-against-safe": {
      mistake: "plain mode in WeChat's console, safe in the account",
      sentence: "plain callback for a safe account; choose safe mode in WeChat's console, or set the account's encryption to plain",
    },
    "safe-without-key": {
      mistake: "safe mode in WeChat's console, and an account in plain mode without a key",
      sentence:
        "the callback is encrypted, but the account has no encodingAesKey; set the one in WeChat's console, or choose plain mode there",
    },
    "clock-off": {
      mistake: "a clock that is more than ten minutes off",
      sentence: "timestamp is more than 600 s off; set this machine's clock by NTP",
    },
    overloaded: {
      mistake: "more callbacks than the gateway or its database can take",
      sentence: "gateway.overloaded: refused with 503, the senders ask again; look what keeps the database busy, or start more replicas",
    },
    "push-token-wrong": {
      mistake: "a push address that was typed by hand",
      sentence: "the push token in the address is wrong; enter the account's pushUrl at the desk as its creation showed it",
    },
    "push-sign-wrong": {
      mistake: "another KEY at the desk than in the account",
      sentence: "sign of the push does not verify; set this account's desk key to the desk's KEY",
    },
    "push-sign-missing": {
      mistake: "`requireSign`, and a desk that does not sign",
      sentence: "push has no sign, and desk.requireSign is set; let the desk sign its pushes, or set it to false",
    },
    "push-abandoned": {
      mistake: "a desk that does not wait for the answer to its push",
      sentence: "the desk closed the connection before its push was stored, so it was not; let the desk push it again",
    },
    "push-repeated": {
      mistake: "a desk that pushes a reply again, with the same id or with none",
      sentence:
        "it repeats a push without ids that has no answer yet, or one of the same ids, so it was not stored again; if the same words are meant twice, let the desk give each a message_id",
    },
  },

  /** In the log as above, some time after something was changed. */
  rotation: {
    "callback-token-revoked": {
      mistake: "a revoked token that WeChat's console still has",
      sentence: "msg_signature is wrong; set the account's token to the one in WeChat's console",
    },
    "push-token-old": {
      mistake: "the old push address, after the overlap of its rotation",
      sentence: "the push token in the address is wrong; enter the account's pushUrl at the desk as its creation showed it",
    },
    "desk-key-old": {
      mistake: "a desk key that was rotated here, and not at the desk",
      sentence: "sign of the push does not verify; set this account's desk key to the desk's KEY",
    },
  },

  /** In `detail` of the message's attempt, and as `error` of the message. */
  messages: {
    "desk-accepts-nothing": {
      mistake: "a desk.url where a page, a login or another server answers HTTP 200",
      sentence:
        "the desk answered HTTP 200, but did not say that it took the message; check that desk.url is the address that Udesk shows, and that no login page, proxy or other server answers there; it said: {title}",
    },
    "media-private": {
      mistake: "a desk that keeps its media on a private network",
      sentence:
        "the media's address ({host}) leads to 127.0.0.1, which is not public; if the desk's media are there, list the network in WXDESK_MEDIA_ALLOW_NETWORKS",
    },
    "media-id-old": {
      mistake: "a media id of the desk's that WeChat does not know, or no longer",
      sentence: "errcode 40007: the media id is wrong or older than three days; upload the media again and send the new id",
    },
    "answer-of-a-proxy": {
      mistake: "a proxy that answers a send in WeChat's place, with a page of its own",
      sentence: "WeChat's answer is not its JSON, so whether it did the work is unknown; is there a proxy in between?",
    },
    "other-app": {
      mistake: "a callback URL that is entered at another WeCom app, or a wrong agentId",
      sentence:
        "the member wrote to app 1000009, and this account sends as another; correct the account or WeCom's console (see its warning); it goes out when the member writes again",
    },
    "text-too-long": {
      mistake: "a text that WeChat refuses as too long, in smaller parts too (45002)",
      sentence:
        "errcode 45002: the message is too long; write it shorter, if smaller parts were refused as well ({words}); refused as too long: {sizes} bytes",
    },
  },

  /** Among `warnings` of the account. */
  warnings: {
    "desk-silent": {
      mistake: "a desk, or something in its place, that answers messages with HTTP 200 and nothing in it",
      sentence:
        "the desk answers customers' messages with HTTP 200 and nothing in it, so whether it takes them is not known; look for them at the desk, and check that desk.url is the address that Udesk shows",
    },
  },

  /** Answered to WeChat or to the desk. */
  answers: {
    "callback-account-unknown": {
      mistake: "an account id in the callback address that there is not",
      sentence: "no such account, or it is disabled",
    },
    "callback-account-disabled": { mistake: "a callback for an account that is disabled", sentence: "no such account, or it is disabled" },
    "push-unreadable": { mistake: "a push in a form that nobody knows", sentence: "body is neither JSON nor XML nor a form" },
    "push-too-long": {
      mistake: "a push that makes hundreds of messages to one customer",
      sentence:
        "push makes at least {count} messages to one customer, at most 20 are taken; send shorter texts, fewer at once, or raise WXDESK_PUSH_PARTS_MAX at the gateway",
    },
    "push-of-nothing": {
      mistake: "a push of tags and control characters, in which there is nothing to read",
      sentence: "text: content is empty",
    },
    "push-in-another-encoding": {
      mistake: "a push in GBK that does not say so",
      sentence: "body is not UTF-8, nor what it is declared as; send UTF-8, or declare its encoding (charset=gbk)",
    },
    "push-in-parts": {
      mistake: "a push as multipart/form-data",
      sentence: "body is multipart/form-data; send it as JSON, XML or application/x-www-form-urlencoded",
    },
    "push-form-of-too-many-fields": {
      mistake: "a form of six thousand fields; lists of more than 200 and brackets deeper than 8 are refused likewise",
      sentence: "form has 6000 fields, more than 5000; send less at once, or JSON",
    },
    "push-array-with-a-broken-one": {
      mistake: "an array of pushes of which one cannot be read; none of them is stored",
      sentence: "push 2 of 3: text.content: expected a text",
    },
    "push-without-type": {
      mistake: "a push with words, a status and no msgtype",
      sentence: "push has text but no msgtype; name its type in msgtype",
    },
    "push-with-words-beside": {
      mistake: "a push with other words beside its text; the same beside `messages`, or beside the `data` of one of them, is refused too",
      sentence: "push has content beside its text; put it there, or send a push of its own",
    },
    "push-with-words-not-shown": {
      mistake: "words in an image, which WeChat does not show; its `title` and `description` are left out, as names of the file",
      sentence: "image.content: is not shown there; send a message of its own for it",
    },
    "push-of-an-unknown-type": {
      mistake: "a message of a type that is not known, with content",
      sentence: "push has messages.0.data.content in a message whose type is none of message, rich, image, file; send it as one of these",
    },
    "push-without-receiver": { mistake: "a push that names no contact", sentence: "JSON has neither touser nor customer_token" },
  },

  /** Answered by `POST /accounts/{id}/test`, and shown by `doctor`: `sentence`, then `remedy`. */
  accounts: {
    "desk-key-wrong": {
      mistake: "a desk key that is not the desk's KEY",
      sentence:
        "the desk refused the signature: this account's desk key is not the desk's KEY; it said: {words}; enter the KEY of Udesk's Message Interface Access page as this account's desk key (desk.key)",
    },
    "desk-away": {
      mistake: "a desk that cannot be reached",
      sentence: `the desk cannot be reached: no connection to 127.0.0.1:{port} (ECONNREFUSED); check desk.url, and ${toNetwork}`,
    },
    "desk-url-wrong": {
      mistake: "a desk.url that does not end in /im_callback",
      sentence:
        'the desk answered HTTP 404 without {"success":true}: desk.url is not Udesk\'s address, or something in between answers; set desk.url to the address that Udesk shows, ending in /im_callback',
    },
    "desk-url-of-a-page": {
      mistake: "a desk.url that leads to a web page",
      sentence:
        'the desk answered HTTP 200 without {"success":true}: desk.url is not Udesk\'s address, or something in between answers; set desk.url to the address that Udesk shows, ending in /im_callback',
    },
    "desk-slow": {
      mistake: "a desk that does not answer in time",
      sentence: `the desk cannot be reached: no answer from 127.0.0.1:{port} (TIMEOUT); check desk.url, and ${toNetwork}`,
    },
    "app-secret-wrong": {
      mistake: "a wrong appSecret",
      sentence: `the appSecret is wrong (errcode 40125); set the current AppSecret; if nobody has it, reset it ${toBasics}`,
    },
    "app-id-wrong": {
      mistake: "a wrong appId",
      sentence: `the appId is wrong (errcode 40013); copy the AppID (wx…) from the basic configuration of WeChat's console; a gh_ name is not it`,
    },
    "app-id-is-name": {
      mistake: "the account's gh_ name as appId",
      sentence: `gh_0123456789ab is the account's name, not its AppID; copy the AppID from the basic configuration of WeChat's console`,
    },
    "ip-not-listed": {
      mistake: "an address that is not on the IP allow-list (40164)",
      sentence: `WeChat does not take calls from this machine's address (errcode 40164); add 203.0.113.7 to the IP allow-list ${toBasics}`,
    },
    "ip-not-trusted": {
      mistake: "an address that WeCom does not trust (60020)",
      sentence:
        "WeCom does not take calls from this machine's address (errcode 60020); add 203.0.113.7 to the trusted IPs on the app's page in WeCom's console; it works about a minute later",
    },
    "corp-secret-wrong": {
      mistake: "a wrong corpSecret",
      sentence: "the corpSecret is wrong (errcode 40001); copy the Secret from the page of this app in WeCom's console",
    },
    "corp-secret-of-another-app": {
      mistake: "a corpSecret of another app",
      sentence:
        "the corpSecret belongs to another app than the agentId (errcode 301002); copy AgentId and Secret from the same app's page in WeCom's console",
    },
    "agent-id-wrong": {
      mistake: "an agentId that there is not",
      sentence: "the agentId is wrong (errcode 40056); copy the AgentId from the app's page in WeCom's console",
    },
    "url-at-another-app": {
      mistake: "a callback URL that is entered at another WeCom app, or a wrong agentId",
      sentence:
        "a message came for app 1000009, and this account is app 1000002: the callback URL of account \"company\" is entered at app 1000009; enter it at app 1000002 in WeCom's console, or set the account's agentId and corpSecret to those of app 1000009",
    },
    "may-not-send": {
      mistake: "an account that is not verified (48001)",
      sentence:
        "the account may not send customer-service messages (errcode 48001); get the account verified in WeChat's console, or set replies.async to false",
    },
    "token-lifetime-missing": {
      mistake: "a proxy or token server at apiBaseUrl that leaves out `expires_in`",
      sentence:
        "WeChat gave an access token for {app}, but not for how long: expires_in is missing, so 300 seconds are assumed; if a proxy or token server stands behind the account's apiBaseUrl, have it pass on the platform's whole answer",
    },
    "api-base-url-wrong": {
      mistake: "an apiBaseUrl that leads nowhere",
      sentence:
        "no connection to 127.0.0.1:{port} (ECONNREFUSED); nothing was sent. Check the network and the account's apiBaseUrl; check this machine's way to the network (DNS, firewall, proxy) and the account's apiBaseUrl",
    },
    "clock-behind": {
      mistake: "a clock that is minutes off",
      sentence:
        "this machine's clock is {seconds} s behind WeChat's and as the desk's; set this machine's clock by NTP (timedatectl set-ntp true)",
    },
    "public-url-loopback": {
      mistake: "no WXDESK_PUBLIC_URL, or a private one",
      sentence:
        "WeChat cannot reach 127.0.0.1: it is an address of this machine or network only; set WXDESK_PUBLIC_URL to the address that leads here from outside, such as https://gateway.example.com",
    },
    "public-url-port": {
      mistake: "a public address with a port of its own",
      sentence:
        "Official Accounts call ports 80 and 443 only, and https://gateway.example.com:8443 has another; put a proxy on port 443 in front, and leave the port out of WXDESK_PUBLIC_URL",
    },
  },

  /** Answered by the API, in `detail` or in the `detail` of a field in `errors`. */
  api: {
    "api-key-missing": { mistake: "no API key", sentence: 'send an API key in the header "Authorization: Bearer <key>"' },
    "api-key-wrong": { mistake: "a wrong API key", sentence: "the API key is unknown or no longer valid; send one that is" },
    "role-too-low": { mistake: "a key whose role does not suffice", sentence: "this takes a key with the role admin; yours has viewer" },
    "api-key-expired": {
      mistake: "an API key that has expired",
      sentence: "the API key is unknown or no longer valid; send one that is",
    },
    "api-key-guessed": {
      mistake: "too many wrong API keys, as of a program with an old one",
      sentence: "this API key is wrong, and too many wrong ones came from your address; send a valid one, or wait {seconds} s",
    },
    "key-of-other-account": {
      mistake: "a key that is limited to other accounts",
      sentence: 'there is no account "shop"',
    },
    "key-limited": {
      mistake: "a key that is limited to some accounts, where all are meant",
      sentence: "this takes a key that is good for all accounts; yours is limited to some",
    },
    "last-admin-key": {
      mistake: "the deletion of the last key of an admin",
      sentence: "nobody could manage keys without this one; create another key of role admin for all accounts first",
    },
    "settings-key": {
      mistake: "the deletion of the key that WXDESK_ADMIN_KEY brings back",
      sentence: "this key is WXDESK_ADMIN_KEY and comes back at the next start while that has its value; remove or change that setting",
    },
    "secret-of-other-kind": {
      mistake: "the rotation of a secret that this kind of account does not have",
      sentence: "is no secret of this kind of account; it has token, encodingAesKey, appSecret, deskKey, pushToken",
    },
    "secret-not-given": {
      mistake: "the rotation of an appSecret or desk key without its new value",
      sentence: "is needed: it cannot be generated, give the one that the platform's console shows",
    },
    "aes-key-short": {
      mistake: "an EncodingAESKey that is one character short",
      sentence: "must be the 43 characters that WeChat's console shows",
    },
    "token-form": { mistake: "a token with other characters", sentence: "must be 3 to 32 letters and digits" },
    "id-taken": {
      mistake: "an account id that exists already",
      sentence: 'there is an account "shop" already; choose another id or change that one',
    },
    "app-taken": {
      mistake: "a second account with an appId, or a corpId and agentId, that another one has",
      sentence: 'account "shop" has the appId wx0123456789abcdef already, enabled or not; change that account, or delete it first',
    },
    "desk-key-missing": {
      mistake: "an account without a desk key",
      sentence: "is needed to sign what is handed to the desk; give the key that the desk's settings show",
    },
    "app-secret-missing": {
      mistake: "an account without an appSecret",
      sentence: "is needed to send asynchronous messages; give it, or set replies.async to false",
    },
    "kind-mixed": { mistake: "WeCom's fields in an Official Account", sentence: "is not a known field" },
    "desk-url-with-query": {
      mistake: "a desk.url with a query",
      sentence: "must be an http or https address without user, query and fragment",
    },
    "database-locked": {
      mistake: "a table that another session has locked, by a migration or a backup",
      sentence:
        "something else holds a lock for too long (55P03); end the session that holds it; pg_stat_activity and pg_locks show which; then try again (GET /readyz tells when)",
    },
    "database-full": {
      mistake: "a disk of the database that is full",
      sentence:
        "the disk of the database is full (53100); make room on it, or give it a larger one; then try again (GET /readyz tells when)",
    },
    "database-changed": {
      mistake: "tables that were changed by hand, or by another build",
      sentence:
        "a column is missing (42703); start the build that belongs to this database; npx wxdesk doctor compares them; then try again (GET /readyz tells when)",
    },
    "test-while-disabled": {
      mistake: "the test of an account that is disabled",
      sentence: "enable the account first: POST /api/v1/accounts/shop/enable",
    },
    "delete-unconfirmed": {
      mistake: "a deletion without confirmation",
      sentence: "this deletes all conversations of the account; repeat its id in ?confirm= to go on",
    },
  },

  /** Said by `npx wxdesk` on standard error. */
  cli: {
    "url-of-something-else": {
      mistake: "`--url` with the address of something else",
      sentence: "is none of wxdesk's (status {status}); is that address the gateway?",
    },
    "url-away": {
      mistake: "`--url` where nothing listens",
      sentence: "CONNECT_FAILED: no connection to 127.0.0.1:{port} (ECONNREFUSED)",
    },
    "url-without-key": {
      mistake: "`--url` without a key",
      sentence:
        "--url needs an API key: set WXDESK_API_KEY or WXDESK_API_KEY_FILE, or name a file that holds it, or - for standard input, with --key-file",
    },
    "key-file-empty": {
      mistake: "a key file that is empty",
      sentence: "{file} holds no API key, which is one word of letters, digits and signs; wxdesk key create makes one",
    },
    "cli-role-too-low": {
      mistake: "a key whose role does not suffice",
      sentence: "FORBIDDEN: this takes a key with the role admin; yours has viewer",
    },
    "document-no-json": {
      mistake: "an account's document in which a comma is missing",
      sentence: "{file} does not hold JSON: line 3, column 3, a comma is missing",
    },
    "document-kind": {
      mistake: "a kind of account that there is not",
      sentence: 'kind "offical" must be official_account or wecom',
    },
    "option-value": {
      mistake: "an option's value that does not fit",
      sentence: "--limit 500 must be at most 200",
    },
    "key-for-no-account": {
      mistake: "a key for an account that there is not",
      sentence: '--account "shopp" is not the id of an account; wxdesk account list shows all',
    },
    "id-of-account": {
      mistake: "an account's id where a conversation's is meant",
      sentence: "It takes the id of a conversation, cv_…; for those of an account: wxdesk conversation list --account shop.",
    },
    "conversation-unknown": {
      mistake: "the id of a conversation that there is not",
      sentence: 'there is no conversation "cv_0"; wxdesk conversation list shows all',
    },
    "option-unknown": { mistake: "a misspelt option", sentence: "unknown option '--jsn' Did you mean --json?" },
    "secret-as-argument": {
      mistake: "a secret on the command line",
      sentence: "unknown option '--value'",
    },
    pack: {
      mistake: "`npm pack`, though wxdesk is no package yet: run it from a checkout (`npm ci && npm start`)",
      sentence: "Invalid package, must have name and version",
    },
    "value-file-missing": {
      mistake: "a file with a secret that is not there",
      sentence: "{file} cannot be read (ENOENT); check path and permissions",
    },
  },
} as const satisfies Record<string, Record<string, Mistake>>;

export type MistakeGroup = keyof typeof MISTAKES;

/** Whether the text says the sentence, whatever stands for its `{…}`. */
export function says(text: string, sentence: string): boolean {
  const parts = sentence.split(/\{[a-z]+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(parts.join("[^;\\n]+")).test(text);
}

// What the API description shows. A test holds each of them to the schema that it stands on.

const desk = {
  protocol: "udesk-message-interface",
  url: "https://example.udesk.cn/spa1/im_callback",
};

export const ACCOUNT_EXAMPLES = [
  {
    id: "shop",
    name: "Shop service account",
    kind: "official_account",
    wechat: { appId: "wx0123456789abcdef", appSecret: "the-appSecret-of-the-console" },
    desk: { ...desk, key: "the-KEY-of-the-desk" },
  },
  {
    id: "company",
    name: "Company help desk",
    kind: "wecom",
    wechat: { corpId: "ww0123456789abcdef", corpSecret: "the-secret-of-the-app", agentId: 1_000_002 },
    desk: { ...desk, key: "the-KEY-of-the-desk", types: { location: "text" } },
    replies: { async: true, notices: "changes", passiveWaitMs: 4_500 },
  },
];

export const ACCOUNT_PATCH_EXAMPLES = [{ desk: { key: "the-new-KEY-of-the-desk" } }, { replies: { async: false } }];

const moment = "2026-01-31T02:03:04.005Z";
const mark = { set: true, hint: "…f3a9", changedAt: moment, previous: [] };
const unset = { set: false, hint: null, changedAt: null, previous: [] };

const shown = {
  enabled: true,
  desk: { ...desk, key: mark, pushToken: mark, timeoutMs: 4_000, identity: "empty", requireSign: false, types: {} },
  replies: { async: true, notices: "changes", passiveWaitMs: 4_500 },
  warning: null,
  warnings: [],
  createdAt: moment,
  updatedAt: moment,
};

const shownShop = {
  ...shown,
  id: "shop",
  name: "Shop service account",
  kind: "official_account",
  wechat: {
    appId: "wx0123456789abcdef",
    appSecret: mark,
    token: mark,
    encodingAesKey: mark,
    encryption: "safe",
    apiBaseUrl: "https://api.weixin.qq.com",
    timestampToleranceSeconds: 600,
  },
  callbackUrl: "https://gateway.example.com/wechat/shop",
  pushUrl: "https://gateway.example.com/desk/shop/…Qk3w",
};

export const SHOWN_ACCOUNT_EXAMPLES = [
  shownShop,
  {
    ...shown,
    id: "company",
    name: "Company help desk",
    kind: "wecom",
    wechat: {
      corpId: "ww0123456789abcdef",
      corpSecret: unset,
      agentId: 1_000_002,
      token: mark,
      encodingAesKey: mark,
      apiBaseUrl: "https://qyapi.weixin.qq.com",
      timestampToleranceSeconds: 600,
    },
    replies: { async: false, notices: "changes", passiveWaitMs: 4_500 },
    callbackUrl: "https://gateway.example.com/wechat/company",
    pushUrl: "https://gateway.example.com/desk/company/…x9Zd",
  },
];

export const CREATED_ACCOUNT_EXAMPLES = [
  {
    ...shownShop,
    pushUrl: "https://gateway.example.com/desk/shop/the-push-token-shown-this-once",
    generated: { token: "pasteThisTokenIntoWeChat", encodingAesKey: "pasteThisKeyOf43CharactersIntoWeChatConsole" },
  },
];

export const SECRET_ROTATION_EXAMPLES = [{ value: "the-new-KEY-of-the-desk", overlapSeconds: 86_400 }, { overlapSeconds: 0 }];

export const ROTATED_ACCOUNT_EXAMPLES = [
  {
    ...shownShop,
    wechat: { ...shownShop.wechat, token: { ...mark, previous: [{ hint: "…0c7e", expiresAt: "2026-02-01T02:03:04.005Z" }] } },
    generated: { token: "pasteThisTokenIntoWeChat" },
  },
];

export const NEW_API_KEY_EXAMPLES = [
  { name: "Lily at the shop", role: "operator", accountIds: ["shop"], expiresAt: "2026-12-31T00:00:00Z" },
  { name: "monitoring", role: "viewer" },
];

const apiKey = {
  id: "key_0d5e2d7d9395a615",
  name: "Lily at the shop",
  role: "operator",
  accountIds: ["shop"],
  createdAt: moment,
  lastUsedAt: null,
  expiresAt: "2026-12-31T00:00:00.000Z",
};

export const API_KEY_EXAMPLES = [{ ...apiKey, lastUsedAt: moment }];

export const CREATED_API_KEY_EXAMPLES = [{ ...apiKey, key: "wxk_the-key-shown-this-once" }];

export const AUDIT_ENTRY_EXAMPLES = [
  {
    id: "1042",
    at: moment,
    actor: { id: "key_first", name: "generated at the first start" },
    action: "account.changed",
    accountId: "shop",
    subject: null,
    detail: { fields: ["desk.url", "replies.async"] },
  },
];

export const CHECKS_EXAMPLES = [
  {
    checks: [
      {
        name: "desk",
        ok: true,
        pending: false,
        ms: 23,
        sentence: "the desk answered and accepted the signature",
        why: null,
        remedy: null,
        code: null,
      },
      {
        name: "accessToken",
        ok: true,
        pending: true,
        ms: 15,
        sentence: "WeChat does not take calls from this machine's address (errcode 40164)",
        why: "without an access token nothing can be sent: replies wait until there is one",
        remedy: "add 203.0.113.7 to the IP allow-list in the basic configuration of WeChat's console",
        code: "40164",
      },
    ],
  },
];

export const CONVERSATION_EXAMPLES = [
  {
    id: "cv_8295deae86566580cd6afb46038dcf78",
    accountId: "shop",
    openId: "oABC123",
    status: "queueing",
    turn: 2,
    agentName: null,
    notice: "2 customers before you",
    statusAt: moment,
    contact: { nickname: null, number: "13574221234", email: null },
    lastInboundAt: moment,
    lastReplyAt: null,
    reply: { ways: ["passive", "async"], windowClosesAt: "2026-02-02T02:03:04.005Z", remaining: 5, held: 0 },
    pending: { toDesk: 0, toCustomer: 0, dead: 0, failed: 0, uncertain: 0 },
  },
];

export const CONTACT_PATCH_EXAMPLES = [{ contact: { number: "13574221234", email: null } }];

const message = {
  id: "ms_01a2020d5e2d7d9395a615eac305274e",
  conversationId: "cv_8295deae86566580cd6afb46038dcf78",
  direction: "outbound",
  origin: "agent",
  type: "text",
  text: "Your parcel has left.",
  content: { type: "text", text: "Your parcel has left." },
  state: "sent",
  way: "async",
  repetitions: 0,
  error: null,
  errorCode: null,
  createdAt: moment,
  settledAt: moment,
};

export const MESSAGE_EXAMPLES = [{ ...message, attempts: 2 }];

const attempt = { startedAt: moment, durationMs: 180, way: "async" };

export const MESSAGE_WITH_ATTEMPTS_EXAMPLES = [
  {
    ...message,
    attempts: [
      { ...attempt, number: 1, outcome: "retry", code: "-1", detail: "errcode -1: WeChat is busy; it is tried again up to three times" },
      { ...attempt, number: 2, outcome: "done", code: null, detail: null },
    ],
  },
];

export const NEW_MESSAGE_EXAMPLES = [{ type: "text", text: "Your parcel has left." }];

export const RETRY_ORDER_EXAMPLES = [{ accountId: "shop", state: "dead", since: "2026-01-31T00:00:00Z" }];

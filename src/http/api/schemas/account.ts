import { z } from "zod";
import { isBareHttpUrl } from "../../../base/http-url.ts";
import type { ContentType } from "../../../domain/content.ts";
import type { ExternalSecretName } from "../../../domain/external-secret-name.ts";
import { WAIT_MS_MAX } from "../../../flow/deadlines.ts";
import { accountId, shownMoment } from "./common.ts";
import { ACCOUNT_EXAMPLES, ACCOUNT_PATCH_EXAMPLES, CREATED_ACCOUNT_EXAMPLES, SHOWN_ACCOUNT_EXAMPLES } from "./examples.ts";

// Fields first, without defaults, because a change must tell "not given" from "given as usual". The defaults are in accountDocument.

const CONTENT_TYPES = [
  "text",
  "image",
  "voice",
  "video",
  "shortvideo",
  "location",
  "link",
  "file",
  "news",
  "miniprogrampage",
  "event",
  "unsupported",
] as const satisfies ContentType[];

/** What is copied from a console often brings a blank or a line break along. */
const pasted = z.string().trim();
const httpUrl = pasted
  .max(2_000)
  .refine(isBareHttpUrl, "must be an http or https address without user, query and fragment")
  // Paths are put behind it.
  .overwrite((url) => url.replace(/\/+$/, ""));
const vendorId = pasted.regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, _ and -");
const secret = pasted.regex(/^\S{1,512}$/, "must be 1 to 512 characters without blanks");

const callbackSecrets = {
  token: pasted
    .regex(/^[A-Za-z0-9]{3,32}$/, "must be 3 to 32 letters and digits")
    .describe("As entered in WeChat's console; generated when omitted."),
  encodingAesKey: pasted
    .regex(/^[A-Za-z0-9+/]{43}$/, "must be the 43 characters that WeChat's console shows")
    .describe("As entered in WeChat's console; generated when omitted and encryption needs it."),
};

const callbackFields = {
  apiBaseUrl: httpUrl.describe("Where the platform's API is reached."),
  timestampToleranceSeconds: z.int().min(0).max(86_400).describe("Callbacks whose timestamp is further off are refused; 0: never."),
};

const officialAccountFields = {
  appId: vendorId,
  appSecret: secret.describe("Needed to send asynchronous messages."),
  encryption: z.enum(["plain", "compatible", "safe"]),
};

const wecomFields = {
  corpId: vendorId,
  corpSecret: secret.describe("Needed to send asynchronous messages."),
  agentId: z.int().min(0),
};

const deskFields = {
  protocol: z.literal("udesk-message-interface"),
  url: httpUrl.describe("The desk's im_callback address."),
  key: secret.describe("Signs what is handed to the desk."),
  timeoutMs: z.int().min(100).max(10_000),
  identity: z.enum(["empty", "synthetic"]).describe("What stands for an unknown phone and e-mail."),
  requireSign: z.boolean().describe("Whether a push without a valid sign is refused."),
  types: z
    .partialRecord(z.enum(CONTENT_TYPES), z.enum(["native", "text"]))
    .describe("How a type of message is handed to the desk: in its own form, or as a readable line with a link."),
};

/** What each secret has to look like, under the name that it is rotated by. */
export const secretValues = {
  ...callbackSecrets,
  appSecret: officialAccountFields.appSecret,
  corpSecret: wecomFields.corpSecret,
  deskKey: deskFields.key,
  pushToken: pasted.regex(/^[A-Za-z0-9_-]{16,128}$/, "must be 16 to 128 letters, digits, _ and -"),
} satisfies Record<ExternalSecretName, z.ZodType<string>>;

const replyFields = {
  async: z.boolean().describe("Whether the platform lets this account send asynchronous messages."),
  notices: z.enum(["changes", "always", "never"]).describe("When the desk's notices go to the customer."),
  passiveWaitMs: z.int().min(0).max(WAIT_MS_MAX).describe("How long a callback stays open for a reply."),
};

const name = z.string().trim().min(1).max(100);

const base = {
  id: accountId,
  name,
  desk: z.strictObject({
    ...deskFields,
    key: deskFields.key.optional(),
    timeoutMs: deskFields.timeoutMs.default(4_000),
    identity: deskFields.identity.default("empty"),
    requireSign: deskFields.requireSign.default(false),
    types: deskFields.types.default({}),
  }),
  replies: z
    .strictObject({
      async: replyFields.async.default(true),
      notices: replyFields.notices.default("changes"),
      passiveWaitMs: replyFields.passiveWaitMs.default(WAIT_MS_MAX),
    })
    .prefault({}),
};

const callbackDefaults = {
  token: callbackSecrets.token.optional(),
  encodingAesKey: callbackSecrets.encodingAesKey.optional(),
  timestampToleranceSeconds: callbackFields.timestampToleranceSeconds.default(600),
};

const officialAccountDocument = z.strictObject({
  ...base,
  kind: z.literal("official_account"),
  wechat: z.strictObject({
    ...officialAccountFields,
    ...callbackDefaults,
    appSecret: officialAccountFields.appSecret.optional(),
    encryption: officialAccountFields.encryption.default("safe"),
    apiBaseUrl: callbackFields.apiBaseUrl.default("https://api.weixin.qq.com"),
  }),
});

const wecomDocument = z.strictObject({
  ...base,
  kind: z.literal("wecom"),
  wechat: z.strictObject({
    ...wecomFields,
    ...callbackDefaults,
    corpSecret: wecomFields.corpSecret.optional(),
    apiBaseUrl: callbackFields.apiBaseUrl.default("https://qyapi.weixin.qq.com"),
  }),
});

/** An account as its operator writes it. Which secrets must be there depends on what is stored already: see account-secrets.ts. */
export const accountDocument = z
  .discriminatedUnion("kind", [officialAccountDocument, wecomDocument], "must be official_account or wecom")
  .meta({ examples: ACCOUNT_EXAMPLES });

export type AccountDocument = z.output<typeof accountDocument>;

/** Any part of the document. Fields of both kinds are known here; the merged document is checked against the account's own kind. */
export const accountPatch = z
  .strictObject({
    id: accountId,
    name,
    kind: z.enum(["official_account", "wecom"]),
    wechat: z.strictObject({ ...officialAccountFields, ...wecomFields, ...callbackSecrets, ...callbackFields }).partial(),
    desk: z.strictObject(deskFields).partial(),
    replies: z.strictObject(replyFields).partial(),
  })
  .partial()
  .describe(
    "Only what is given changes; id and kind cannot. A secret that is given replaces the current one at once: no old value is taken any more. To keep the old one for a while, rotate it: POST /accounts/{id}/secrets/{name}.",
  )
  .meta({ examples: ACCOUNT_PATCH_EXAMPLES });

export type AccountPatch = z.output<typeof accountPatch>;

const secretMark = z
  .object({
    set: z.boolean(),
    hint: z.string().nullable(),
    changedAt: shownMoment.nullable(),
    previous: z
      .array(z.object({ hint: z.string(), expiresAt: shownMoment }))
      .describe("Old values that are still taken, the latest first, and until when."),
  })
  .meta({ id: "SecretMark", description: "What is shown of a secret. The secret itself is never returned." });

const accountWarning = z.object({ code: z.string(), sentence: z.string(), since: shownMoment });

const shownBase = {
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  desk: z.object({ ...deskFields, key: secretMark, pushToken: secretMark }),
  replies: z.object(replyFields),
  callbackUrl: z.string().describe("To be entered in WeChat's console."),
  pushUrl: z.string().describe("To be entered at the desk. Complete only in the answer that made its token."),
  warning: accountWarning.nullable().describe("The latest of the warnings."),
  warnings: z
    .array(accountWarning)
    .describe(
      "What keeps the account from working as its settings say, or may; each goes when work shows that it is over. The latest first.",
    ),
  createdAt: shownMoment,
  updatedAt: shownMoment,
};

const shownCallback = { ...callbackFields, token: secretMark, encodingAesKey: secretMark };

function shownAs<Extra extends z.ZodRawShape>(extra: Extra) {
  return z.discriminatedUnion("kind", [
    z.object({
      ...shownBase,
      ...extra,
      kind: z.literal("official_account"),
      wechat: z.object({ ...officialAccountFields, ...shownCallback, appSecret: secretMark }),
    }),
    z.object({
      ...shownBase,
      ...extra,
      kind: z.literal("wecom"),
      wechat: z.object({ ...wecomFields, ...shownCallback, corpSecret: secretMark }),
    }),
  ]);
}

export const shownAccount = shownAs({}).meta({ id: "Account", examples: SHOWN_ACCOUNT_EXAMPLES });

export type ShownAccount = z.output<typeof shownAccount>;

export const shownWithGenerated = shownAs({
  generated: z
    .object({ token: z.string(), encodingAesKey: z.string() })
    .partial()
    .describe("What was generated because it was omitted. Shown this once: paste it into WeChat's console."),
});

export const createdAccount = shownWithGenerated.meta({ id: "CreatedAccount", examples: CREATED_ACCOUNT_EXAMPLES });

import { z } from "zod";
import { DESK_SILENT, NOT_AUTHORISED } from "../domain/account.ts";
import { APP_MISMATCH } from "../domain/other-app.ts";
import type { Finding } from "./finding.ts";
import { toFinding } from "./to-finding.ts";

/** A gateway's API, however it is reached. Both reject when the answer is no success. */
export interface GatewayApi {
  get(path: string): Promise<unknown>;
  post(path: string): Promise<unknown>;
}

const accountsSchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      enabled: z.boolean(),
      wechat: z.looseObject({}).default({}),
      warnings: z.array(z.object({ code: z.string(), sentence: z.string(), since: z.string() })).default([]),
    }),
  ),
});

type ListedAccount = z.output<typeof accountsSchema>["items"][number];

const checkSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  pending: z.boolean().optional(),
  sentence: z.string(),
  why: z.string().nullish(),
  remedy: z.string().nullish(),
  ms: z.number().optional(),
});
const checksSchema = z.object({ checks: z.array(checkSchema) });

/** A gateway that can only be asked through its API; its settings and its database are looked at on its own machine. */
export function diagnoseElsewhere(api: GatewayApi): Promise<Finding[]> {
  return diagnoseAccounts(api, { isElsewhere: true });
}

/** What each account's own test says; it is the gateway that asks, so that its way to WeChat and to the desk is the one that is tried. */
export async function diagnoseAccounts(
  api: GatewayApi | null,
  { remedy = "start the gateway, then ask again", isElsewhere = false } = {},
): Promise<Finding[]> {
  const name = "accounts";
  if (api === null) {
    const why = "it is the gateway that knows their secrets and asks WeChat and the desk";
    return [{ name, ok: "warning", what: "not looked at: there is no gateway to ask", why, remedy }];
  }
  try {
    const { items } = accountsSchema.parse(await api.get("/accounts"));
    if (items.length === 0) {
      const create = "create one: npx wxdesk account add";
      return [{ name, ok: "warning", what: "there is no account", why: "nothing arrives without one", remedy: create }];
    }
    const tested = await Promise.all(items.map((account) => diagnoseAccount(account, api, isElsewhere)));
    return tested.flat();
  } catch (error) {
    return [toRefusal(error)];
  }
}

async function diagnoseAccount({ id, enabled, warnings }: ListedAccount, api: GatewayApi, isElsewhere: boolean): Promise<Finding[]> {
  if (!enabled) {
    const why = "its callbacks and pushes are answered with 404";
    return [{ name: "account", account: id, ok: true, what: "disabled, so it is not tested", why, remedy: null }];
  }
  try {
    const { checks } = checksSchema.parse(await api.post(`/accounts/${encodeURIComponent(id)}/test`));
    // Here the address has been looked at once already: it is the gateway's, not one account's.
    const wanted = isElsewhere ? checks : checks.filter(({ name }) => name !== "publicUrl");
    return [...warnings.map((warning) => toWarning(id, warning)), ...wanted.map(({ name, ...check }) => toFinding(name, check, id))];
  } catch (error) {
    return [{ ...toRefusal(error), name: "account", account: id }];
  }
}

function toWarning(account: string, { code, sentence, since }: ListedAccount["warnings"][number]): Finding {
  const what = `noticed at work, since ${since}: ${sentence}`;
  return { name: "warning", account, ok: "warning", what, ...(ADVICE.get(code) ?? NO_ADVICE) };
}

const NO_ADVICE = { why: "the account may not do all that its settings say", remedy: null };

const ADVICE: ReadonlyMap<string, { why: string; remedy: string }> = new Map([
  [
    NOT_AUTHORISED,
    {
      why: "replies that cannot be sent are held until the customer writes",
      remedy: "it goes with the first asynchronous message that is taken",
    },
  ],
  [
    APP_MISMATCH,
    {
      why: "asynchronous answers would reach the member as another app, so they are held",
      remedy: "do what it says; it goes with the first message that comes for the account's own app",
    },
  ],
  [
    DESK_SILENT,
    {
      why: "messages count as forwarded that perhaps no agent sees",
      remedy: "it goes with the first message that the desk answers with a status",
    },
  ],
]);

/** What stands between us and an answer: no way to the API, or its own refusal. */
export function toRefusal(error: unknown): Finding {
  const reason = error instanceof z.ZodError ? "its answer is of another version" : error instanceof Error ? error.message : String(error);
  const what = `the gateway's API does not answer: ${reason}`;
  const remedy = "check the API key (it needs the role admin) and the gateway's log";
  return { name: "accounts", ok: false, what, why: "without it the accounts cannot be tested", remedy };
}

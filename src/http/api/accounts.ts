import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { AccountDuplicateError } from "../../base/errors.ts";
import type { Account } from "../../domain/account.ts";
import { isInScope, type Scope } from "../../domain/api-key.ts";
import { notFound, Problem } from "../problem.ts";
import { applyPatch, splitDocument } from "./account-document.ts";
import { findMissingSecrets, generateCallbackSecrets, generatePushToken } from "./account-secrets.ts";
import { toShownAccount } from "./account-view.ts";
import type { ApiDeps } from "./deps.ts";
import { accountDocument, accountPatch, createdAccount, shownAccount } from "./schemas/account.ts";
import { idParams } from "./schemas/common.ts";
import { validationFailed } from "./validate.ts";

/** Accounts are for admins only, reading them included: that is what routes without a role are. */
export const accountRoutes: FastifyPluginAsyncZod<Pick<ApiDeps, "accounts" | "connections" | "publicUrl">> = async (
  app,
  { accounts, connections, publicUrl },
) => {
  const show = (account: Account) => toShownAccount(account, { publicUrl: publicUrl() });

  app.post(
    "/accounts",
    {
      schema: {
        tags: ["accounts"],
        operationId: "createAccount",
        summary: "Create an account",
        description:
          "The answer holds the complete push address and the generated secrets. Neither is shown again. There is one account per app: another " +
          "one with the same appId, or the same corpId and agentId, enabled or not, is ACCOUNT_DUPLICATE.",
        body: accountDocument,
        response: { 201: createdAccount },
      },
    },
    async ({ body, caller }, reply) => {
      const { settings, secrets } = splitDocument(body);
      const generated = generateCallbackSecrets(settings, secrets);
      const pushToken = generatePushToken();
      const all = { ...secrets, ...generated, pushToken };
      const missing = findMissingSecrets(settings, (name) => name in all);
      if (missing.length > 0) throw validationFailed(missing);
      const account = await accounts.create({ id: body.id, name: body.name, settings, secrets: all }, caller);
      connections.forget(account.id);
      return reply.code(201).send({ ...toShownAccount(account, { publicUrl: publicUrl(), pushToken }), generated });
    },
  );

  app.get(
    "/accounts",
    {
      config: { isScoped: true },
      schema: {
        tags: ["accounts"],
        operationId: "listAccounts",
        summary: "List all accounts",
        response: { 200: z.object({ items: z.array(shownAccount) }) },
      },
    },
    async ({ scope }) => ({ items: (await accounts.list(scope)).map(show) }),
  );

  app.get(
    "/accounts/:id",
    {
      schema: {
        tags: ["accounts"],
        operationId: "getAccount",
        summary: "Show an account",
        params: idParams,
        response: { 200: shownAccount },
      },
    },
    async ({ params }) => show(found(await accounts.get(params.id), params.id)),
  );

  app.patch(
    "/accounts/:id",
    {
      schema: {
        tags: ["accounts"],
        operationId: "updateAccount",
        summary: "Change an account",
        params: idParams,
        body: accountPatch,
        response: { 200: shownAccount },
      },
    },
    async ({ params, body, caller, scope }) => {
      const account = found(await accounts.get(params.id), params.id);
      const document = applyPatch(account, body);
      const { settings, secrets } = splitDocument(document);
      const missing = findMissingSecrets(settings, (name) => name in secrets || account.secrets[name]?.set === true);
      if (missing.length > 0) throw validationFailed(missing);
      const change = { name: document.name, settings, secrets };
      const changed = found(await accounts.update(account.id, change, caller).catch(withoutOthers(scope)), params.id);
      connections.forget(account.id);
      return show(changed);
    },
  );

  app.delete(
    "/accounts/:id",
    {
      schema: {
        tags: ["accounts"],
        operationId: "deleteAccount",
        summary: "Delete an account with its conversations and messages",
        params: idParams,
        querystring: z.strictObject({ confirm: z.string().optional().describe("The account's own id.") }),
        response: { 204: z.undefined().describe("Deleted.") },
      },
    },
    async ({ params: { id }, query, caller }, reply) => {
      if (query.confirm !== id) {
        throw new Problem("CONFIRMATION_MISSING", "this deletes all conversations of the account; repeat its id in ?confirm= to go on");
      }
      const wasRemoved = await accounts.remove(id, caller);
      if (!wasRemoved) throw notFound(`account "${id}"`);
      connections.forget(id);
      return reply.code(204).send();
    },
  );

  for (const [verb, enabled, effect] of [
    ["enable", true, "Callbacks and pushes are taken again"],
    ["disable", false, "Callbacks and pushes are answered with 404"],
  ] as const) {
    app.post(
      `/accounts/:id/${verb}`,
      {
        schema: { tags: ["accounts"], operationId: `${verb}Account`, summary: effect, params: idParams, response: { 200: shownAccount } },
      },
      async ({ params, caller }) => {
        const account = found(await accounts.update(params.id, { enabled }, caller), params.id);
        connections.forget(account.id);
        return show(account);
      },
    );
  }
};

/** To a key that is limited to some accounts, the others are not there: not even as the holder of an appId. */
function withoutOthers(scope: Scope): (error: unknown) => never {
  return (error) => {
    const isHidden = error instanceof AccountDuplicateError && (error.otherId === null || !isInScope(scope, error.otherId));
    if (!isHidden || scope === null) throw error;
    const detail = "an account that your key does not see is the same app already; ask somebody with a key for all accounts";
    throw new Problem("ACCOUNT_DUPLICATE", detail, { cause: error });
  };
}

function found(account: Account | null, id: string): Account {
  if (!account) throw notFound(`account "${id}"`);
  return account;
}

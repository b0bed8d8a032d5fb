import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { testAccount } from "../../flow/test-account.ts";
import { checkPublicUrl } from "../check-public-url.ts";
import { notFound, Problem } from "../problem.ts";
import type { ApiDeps } from "./deps.ts";
import { shownChecks } from "./schemas/account-test.ts";
import { idParams } from "./schemas/common.ts";

// Longer than any timeout an account can set for its desk, shorter than what proxies grant a request.
const CHECK_TIMEOUT_MS = 12_000;
const HANDLER_TIMEOUT_MS = 15_000;

export type AccountTestDeps = Pick<ApiDeps, "accounts" | "connections" | "conversations" | "publicUrl" | "http">;

/** Whether an account works, asked of everybody concerned. For admins only, as all of accounts: a route without a role is. */
export const accountTestRoute: FastifyPluginAsyncZod<AccountTestDeps> = async (
  app,
  { accounts, connections, conversations, publicUrl, http },
) => {
  app.post(
    "/accounts/:id/test",
    {
      handlerTimeout: HANDLER_TIMEOUT_MS,
      schema: {
        tags: ["accounts"],
        operationId: "testAccount",
        summary: "Check desk and platform of an account",
        description:
          "Asks the desk's channel test, fetches an access token, asks whether the account may send, and looks at keys, clock and public " +
          "address. No customer notices. 200 also when a check fails: look at `ok`. What is only not entered yet in WeChat's console is no " +
          "failure before the first message has come in: such a check is `ok` and `pending`, and its `remedy` is the next step.",
        params: idParams,
        response: { 200: shownChecks },
      },
    },
    async ({ params: { id } }) => {
      if ((await accounts.get(id)) === null) throw notFound(`account "${id}"`);
      const connection = await connections.get(id);
      if (!connection) throw new Problem("ACCOUNT_DISABLED", `enable the account first: POST /api/v1/accounts/${id}/enable`);
      const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
      const checks = await testAccount(
        connection,
        {
          checkPublicUrl: (signal) => checkPublicUrl(publicUrl(), http, signal),
          hasInbound: () => conversations.hasInbound(id),
        },
        signal,
      );
      return {
        checks: checks.map(({ name, ok, isPending, ms, sentence, why = null, remedy = null, code = null }) => ({
          name,
          ok,
          pending: isPending,
          ms,
          sentence,
          why,
          remedy,
          code,
        })),
      };
    },
  );
};

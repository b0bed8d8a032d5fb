import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { Account } from "../../domain/account.ts";
import { type ExternalSecretName, externalSecretNamesOf, toSecretName } from "../../domain/external-secret-name.ts";
import { notFound } from "../problem.ts";
import { generateSecret } from "./account-secrets.ts";
import { toShownAccount } from "./account-view.ts";
import type { ApiDeps } from "./deps.ts";
import { fieldWords } from "./field-words.ts";
import { secretValues, shownAccount } from "./schemas/account.ts";
import { rotatedAccount, secretParams, secretRotation } from "./schemas/secret.ts";
import { toFieldErrors, validationFailed } from "./validate.ts";

/** Rotation of secrets, for admins only: that is what routes without a role are. */
export const secretRoutes: FastifyPluginAsyncZod<Pick<ApiDeps, "accounts" | "connections" | "publicUrl" | "now">> = async (
  app,
  { accounts, connections, publicUrl, now },
) => {
  app.post(
    "/accounts/:id/secrets/:name",
    {
      schema: {
        tags: ["accounts"],
        operationId: "rotateSecret",
        summary: "Give a secret a new value, with an overlap",
        description:
          "What goes out uses the new value at once. What comes in (callbacks, pushes) may use the old one until the overlap ends; at most " +
          "three old values of a secret are kept, `previous` of its mark shows them. appSecret and corpSecret only go out, so nothing old of " +
          "them is kept. What is generated is shown once: token and encodingAesKey in `generated`, pushToken in the complete `pushUrl`. Giving " +
          "the value that is current already changes nothing; without a value each request makes a new one.",
        params: secretParams,
        body: secretRotation,
        response: { 200: rotatedAccount },
      },
    },
    async ({ params: { id, name }, body, caller }) => {
      requireSecretOf(await accounts.get(id), id, name);
      const given = readValue(name, body.value);
      const value = given ?? generate(name);
      const overlapUntil = body.overlapSeconds === 0 ? null : new Date(now().getTime() + body.overlapSeconds * 1_000);
      const account = found(await accounts.rotateSecret(id, { name: toSecretName(name), value, overlapUntil }, caller), id);
      connections.forget(id);
      const isGenerated = given === undefined;
      const addresses = { publicUrl: publicUrl(), ...(isGenerated && name === "pushToken" && { pushToken: value }) };
      const generated = isGenerated && (name === "token" || name === "encodingAesKey") ? { [name]: value } : {};
      return { ...toShownAccount(account, addresses), generated };
    },
  );

  app.delete(
    "/accounts/:id/secrets/:name/previous",
    {
      schema: {
        tags: ["accounts"],
        operationId: "revokeOldSecrets",
        summary: "End the overlap of a secret now",
        description: "Only the current value is taken from now on; other processes follow within a second. Repeated, it changes nothing.",
        params: secretParams,
        response: { 200: shownAccount },
      },
    },
    async ({ params: { id, name }, caller }) => {
      requireSecretOf(await accounts.get(id), id, name);
      const account = found(await accounts.revokeOldSecrets(id, toSecretName(name), caller), id);
      connections.forget(id);
      return toShownAccount(account, { publicUrl: publicUrl() });
    },
  );
};

function found(account: Account | null, id: string): Account {
  if (!account) throw notFound(`account "${id}"`);
  return account;
}

function requireSecretOf(account: Account | null, id: string, name: ExternalSecretName): void {
  const names = externalSecretNamesOf(found(account, id).kind);
  if (names.includes(name)) return;
  const detail = `is no secret of this kind of account; it has ${names.join(", ")}`;
  throw validationFailed([{ in: "path", pointer: "#/name", detail }]);
}

/** Held to the same schema as in the account's document. */
function readValue(name: ExternalSecretName, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const result = secretValues[name].safeParse(value, { error: fieldWords });
  if (result.success) return result.data;
  throw validationFailed(toFieldErrors(result.error, "body").map((error) => ({ ...error, pointer: "#/value" })));
}

function generate(name: ExternalSecretName): string {
  const value = generateSecret(toSecretName(name));
  if (value !== null) return value;
  const giver = name === "deskKey" ? "the desk's settings show" : "the platform's console shows";
  throw validationFailed([{ in: "body", pointer: "#/value", detail: `is needed: it cannot be generated, give the one that ${giver}` }]);
}

import { z } from "zod";
import type { Role } from "../../../domain/api-key.ts";
import { accountId, givenMoment, shownMoment } from "./common.ts";
import { API_KEY_EXAMPLES, CREATED_API_KEY_EXAMPLES, NEW_API_KEY_EXAMPLES } from "./examples.ts";

const role = z.enum(["admin", "operator", "viewer"] satisfies Role[]);

export const newApiKey = z
  .strictObject({
    name: z.string().trim().min(1).max(100).describe("Who or what uses it: the audit log shows this name."),
    role: role.describe("Viewers read; operators also write to customers and send again; admins also manage accounts, secrets and keys."),
    accountIds: z
      .array(accountId)
      .min(1, "must name an account; leave it out for all accounts")
      .max(100)
      .optional()
      .describe("The accounts it is good for. Left out: all of them, also those to come."),
    expiresAt: givenMoment.optional().describe("From then on it is refused. Left out: never."),
  })
  .meta({ examples: NEW_API_KEY_EXAMPLES });

const fields = {
  id: z.string(),
  name: z.string(),
  role,
  accountIds: z.array(z.string()).describe("Empty: good for all accounts."),
  createdAt: shownMoment,
  lastUsedAt: shownMoment.nullable().describe("To the minute; null: never."),
  expiresAt: shownMoment.nullable(),
};

export const shownApiKey = z.object(fields).meta({ id: "ApiKey", examples: API_KEY_EXAMPLES });

export const createdApiKey = z
  .object({ ...fields, key: z.string().describe("Shown this once.") })
  .meta({ id: "CreatedApiKey", examples: CREATED_API_KEY_EXAMPLES });

export type ShownApiKey = z.output<typeof shownApiKey>;

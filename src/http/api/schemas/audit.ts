import { z } from "zod";
import { AUDIT_ACTIONS } from "../../../domain/audit.ts";
import { givenMoment, pageQuery, shownMoment } from "./common.ts";
import { AUDIT_ENTRY_EXAMPLES } from "./examples.ts";

const action = z.enum(AUDIT_ACTIONS);

export const auditQuery = z.strictObject({
  accountId: z.string().min(1).max(200).optional(),
  actor: z.string().min(1).max(200).optional().describe("The id of an API key, `cli` or `settings`."),
  action: action.optional(),
  since: givenMoment.optional().describe("Only entries of this moment or later."),
  until: givenMoment.optional().describe("Only entries before this moment."),
  ...pageQuery,
});

export const shownAuditEntry = z
  .object({
    id: z.string(),
    at: shownMoment,
    actor: z
      .object({ id: z.string(), name: z.string() })
      .describe("An API key with the name it had; `cli`: the command line on the machine; `settings`: the gateway's own settings."),
    action,
    accountId: z.string().nullable().describe("null: it concerns no single account."),
    subject: z.string().nullable().describe("What was changed, where the account does not say it: an id or a secret's name."),
    detail: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]))
      .describe("Names of the changed fields and harmless facts; never a secret, never what was said."),
  })
  .meta({ id: "AuditEntry", examples: AUDIT_ENTRY_EXAMPLES });

export type ShownAuditEntry = z.output<typeof shownAuditEntry>;

import { z } from "zod";
import { CHECKS } from "../../../flow/test-account.ts";
import { CHECKS_EXAMPLES } from "./examples.ts";

export const shownChecks = z
  .object({
    checks: z.array(
      z.object({
        name: z.enum(CHECKS),
        ok: z.boolean(),
        pending: z
          .boolean()
          .describe("Not done yet, which is no fault: `remedy` is the next step of connecting the account. `ok` is true then."),
        ms: z.int().min(0),
        sentence: z.string().describe("What was found."),
        why: z.string().nullable().describe("Why that matters."),
        remedy: z.string().nullable().describe("What to do. When `ok` is true it is advice: the account works, and somebody should look."),
        code: z.string().nullable().describe("The platform's or the desk's own code."),
      }),
    ),
  })
  .meta({ examples: CHECKS_EXAMPLES });

export type ShownChecks = z.output<typeof shownChecks>;

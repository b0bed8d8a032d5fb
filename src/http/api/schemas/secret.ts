import { z } from "zod";
import { EXTERNAL_SECRET_NAMES } from "../../../domain/external-secret-name.ts";
import { shownWithGenerated } from "./account.ts";
import { ROTATED_ACCOUNT_EXAMPLES, SECRET_ROTATION_EXAMPLES } from "./examples.ts";

/** A day: time enough to change a console, and to find out that one was forgotten. */
const OVERLAP_SECONDS = 86_400;
const OVERLAP_SECONDS_MAX = 30 * 86_400;

export const secretParams = z.object({ id: z.string(), name: z.enum(EXTERNAL_SECRET_NAMES) });

const rotation = z
  .strictObject({
    value: z
      .string()
      .optional()
      .describe("The new value. token, encodingAesKey and pushToken are generated when it is omitted; the others are needed."),
    overlapSeconds: z
      .int()
      .min(0)
      .max(OVERLAP_SECONDS_MAX)
      .default(OVERLAP_SECONDS)
      .describe("How long the old value is still taken; 0: it ends now, and every older one with it."),
  })
  .meta({ examples: SECRET_ROTATION_EXAMPLES });

/**
 * No body asks for the usual: generated, with the usual overlap. The value is held to the schema of its name by the route, which knows
 * the name.
 */
export const secretRotation = z.preprocess((body) => body ?? {}, rotation);

export const rotatedAccount = shownWithGenerated.meta({ id: "RotatedAccount", examples: ROTATED_ACCOUNT_EXAMPLES });

import { z } from "zod";
import { ConfigError, TransportError } from "../base/errors.ts";
import { type SentFields, toFieldLines } from "./field-lines.ts";
import { toCommandWords } from "./refusal-words.ts";

/** 0: fine. 1: a check failed, or what was asked for was refused or went wrong. 2: the command or the settings were wrong. */
export type ExitCode = 0 | 1 | 2;

/** What was asked for did not happen; the text says why and what to do. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly exitCode: ExitCode = 1;
}

/** The command was put wrongly, and nothing was tried. */
export class UsageError extends Failure {
  override readonly name = "UsageError";
  override readonly exitCode = 2;
}

const problem = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ in: z.string(), pointer: z.string(), detail: z.string() })).optional(),
});

/** The API's refusal in lines for a person, in the command's own terms; null when the answer is no problem document. */
export function toRefusal(body: unknown, sent: SentFields = {}): Failure | null {
  const { data } = problem.safeParse(body);
  if (data === undefined) return null;
  const errors = (data.errors ?? []).map((error) => ({ ...error, detail: toCommandWords(error.detail) }));
  return new Failure(`${data.code}: ${toCommandWords(data.detail)}${toFieldLines(errors, sent).join("")}`);
}

/** What is said about an error, and how the command ends. Only what nobody expected keeps its stack, for `--verbose`. */
export function toEnding(error: unknown): { text: string; exitCode: ExitCode; isExpected: boolean } {
  if (error instanceof Failure) return { text: error.message, exitCode: error.exitCode, isExpected: true };
  if (error instanceof ConfigError) {
    return { text: `${error.code}: ${error.message}`, exitCode: error.code === "SETTINGS_INVALID" ? 2 : 1, isExpected: true };
  }
  if (error instanceof TransportError) return { text: `${error.code}: ${error.message}`, exitCode: 1, isExpected: true };
  if (!(error instanceof Error)) return { text: String(error), exitCode: 1, isExpected: false };
  if (error.name === "ExitPromptError") return { text: "Stopped; nothing was changed.", exitCode: 1, isExpected: true };
  if ("code" in error && (error.code === "EACCES" || error.code === "EPERM")) {
    return { text: `${error.message}; run this as the user that the gateway runs as`, exitCode: 1, isExpected: true };
  }
  return { text: `${error.message}\nThis was not expected; --verbose shows where it came from.`, exitCode: 1, isExpected: false };
}

import type { z } from "zod";
import type { ApiMethod } from "../../app/app.ts";
import { Failure, toRefusal } from "../failure.ts";
import type { SentFields } from "../field-lines.ts";

/** The gateway's API, wherever it is. Commands know nothing else of the gateway. */
export interface Api {
  /** The answer whatever its status is; rejects when there is none. */
  request(method: ApiMethod, path: string, body?: unknown): Promise<{ status: number; body: string }>;
  /** Whether a gateway is running behind it; otherwise what is to be sent waits for the next one. */
  isRunning: boolean;
  close(): Promise<void>;
}

/**
 * What the API answers: parsed JSON, or null when there is nothing to say.
 * @throws Failure when it refuses, in the command's own terms: `names` says how it calls what it sends
 */
export async function call(
  api: Pick<Api, "request">,
  method: ApiMethod,
  path: string,
  { body, query, names = {} }: SentFields = {},
): Promise<unknown> {
  const answer = await api.request(method, path + toQuery(query ?? {}), body);
  const parsed = parse(answer.body);
  if (answer.status >= 200 && answer.status < 300 && parsed !== undefined) return parsed;
  throw (
    toRefusal(parsed, { body, query, names }) ??
    new Failure(`the answer to ${method} /api/v1${path} is none of wxdesk's (status ${answer.status}); is that address the gateway?`)
  );
}

/** @throws Failure when the answer comes from a gateway that speaks differently */
export function read<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(answer);
  if (error === undefined) return data;
  const where = error.issues[0]?.path.join(".");
  throw new Failure(
    `the gateway's answer is not as expected (${where}); is it of the same version as this command? --json shows it as it is`,
  );
}

/** `?a=1&b=2` of what is given. */
function toQuery(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

function parse(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { z } from "zod";
import { toQuotable } from "../base/redact.ts";
import { withTimeLimit } from "../base/time-limit.ts";
import { AccessTokenRefusal, type AccessTokens, type FetchedToken, type FetchToken, type TokenOwner } from "./access-tokens.ts";
import type { PlatformAnswer } from "./answer.ts";
import { type Errcodes, explain } from "./errcodes.ts";

export interface TokenCall {
  owner: TokenOwner;
  fetchToken: FetchToken;
  call: (token: string, signal: AbortSignal) => Promise<PlatformAnswer>;
  isTokenRefused: (errcode: string) => boolean;
  signal: AbortSignal;
}

// In all: waits for tokens and both calls. The lease of the claim, 35 s, outlasts it.
const TOKEN_CALL_MS_MAX = 25_000;

/** Makes a call that needs a token. A refused token is replaced and the call made once more; there is no third time. */
export async function callWithToken(tokens: AccessTokens, request: TokenCall): Promise<PlatformAnswer> {
  const { owner, fetchToken, call, isTokenRefused } = request;
  try {
    return await withTimeLimit(TOKEN_CALL_MS_MAX, request.signal, async (signal) => {
      const token = await unlessStopped(tokens.get(owner, fetchToken), signal);
      const answer = await call(token, signal);
      if (answer.kind !== "verdict" || !isTokenRefused(answer.errcode)) return answer;
      return call(await unlessStopped(tokens.refresh(owner, token, fetchToken), signal), signal);
    });
  } catch (error) {
    if (error instanceof AccessTokenRefusal) return { kind: "none", outcome: error.outcome };
    throw error;
  }
}

/** A token belongs to many callers, so one that stops does not end the fetch, only its own wait. */
async function unlessStopped(token: Promise<string>, signal: AbortSignal): Promise<string> {
  let stop = () => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new AccessTokenRefusal({ code: "STOPPED", detail: "the wait was ended before anything was sent" }));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([stopped, token]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.unknown().optional() });

/**
 * Reads the answer to a token request.
 * @throws AccessTokenRefusal with the platform's reason in the words of `errcodes`
 */
export function readFetchedToken(answer: PlatformAnswer, errcodes: Errcodes): FetchedToken {
  if (answer.kind === "none") throw new AccessTokenRefusal({ ...answer.outcome, detail: `no access token: ${answer.outcome.detail}` });
  const { errcode, errmsg, fields } = answer;
  if (errcode !== "0") {
    const retryAfterMs = errcodes.get(errcode)?.retryAfterMs;
    const detail = `no access token: ${explain(errcodes, errcode, errmsg)}`;
    throw new AccessTokenRefusal({ code: errcode, detail, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  const token = tokenSchema.safeParse(fields);
  if (token.success) return { value: token.data.access_token, ...readLifetime(token.data.expires_in) };
  throw new AccessTokenRefusal({ code: "WECHAT_ANSWER_UNREADABLE", detail: "no access token: the answer has none; a proxy in between?" });
}

/** Both platforms give 7200 s. A day or more would outlive any token, and its end would be noticed by a refusal only. */
const LIFETIME_SECONDS_MAX = 86_400;
/** Short enough to notice soon that the platform states a lifetime again, long enough not to spend the 2000 fetches of a day. */
const LIFETIME_SECONDS_ASSUMED = 300;

/** A token without a stated lifetime is used too: when it ends early, an errcode refuses it and the token is replaced. */
function readLifetime(given: unknown): Pick<FetchedToken, "expiresInSeconds" | "lifetimeDoubt"> {
  const seconds = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  if (typeof seconds === "number" && seconds >= 1 && seconds < LIFETIME_SECONDS_MAX) return { expiresInSeconds: seconds };
  const said = given === undefined ? "is missing" : `is ${toQuotable(JSON.stringify(given)).slice(0, QUOTED_LENGTH_MAX)}`;
  const lifetimeDoubt = `expires_in ${said}, so ${LIFETIME_SECONDS_ASSUMED} seconds are assumed`;
  return { expiresInSeconds: LIFETIME_SECONDS_ASSUMED, lifetimeDoubt };
}

const QUOTED_LENGTH_MAX = 40;

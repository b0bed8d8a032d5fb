import { TransportError } from "../../base/errors.ts";
import type { Conversation } from "../../domain/conversation.ts";
import type { Submission } from "../../domain/desk.ts";
import type { Message } from "../../domain/message.ts";
import type { UdeskDeps } from "./deps.ts";
import { toIdentity } from "./identity.ts";
import { toSubmission } from "./outcome.ts";
import { render } from "./render.ts";
import { toSignedQuery } from "./sign.ts";

/**
 * Hands one message to the desk. Run twice, it carries the same body and a new timestamp. An answer that got lost is a `retry`: the
 * desk is promised every message at least once, and can tell a repetition by its MsgId.
 */
export async function submit(
  message: Message,
  conversation: Conversation,
  { account, key, http, now }: UdeskDeps,
  signal: AbortSignal,
): Promise<Submission> {
  const { url, timeoutMs, types } = account.desk;
  const identity = toIdentity(account, conversation);
  const body = render(message, { openId: conversation.openId, identity, types });
  try {
    const answer = await http.exchange({
      method: "POST",
      url: `${url}?${toSignedQuery(identity, key, now())}`,
      headers: { "content-type": "text/xml; charset=utf-8" },
      body,
      timeoutMs,
      signal,
    });
    return toSubmission(answer, { key, now: now() });
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return { outcome: { kind: "retry", code: error.code, detail: `${error.message}; check desk.url and this machine's way to the desk` } };
  }
}

import { DecodeError } from "../../base/errors.ts";
import { validAt } from "../../domain/credential.ts";
import type { OpenedPush, PushedReply, PushRequest } from "../../domain/desk.ts";
import { readCustomerMessages } from "./customer-messages.ts";
import { readCustomerService } from "./customer-service.ts";
import type { UdeskDeps } from "./deps.ts";
import { authorizePush } from "./push-authorization.ts";
import { type ParsedPush, parsePush } from "./push-parse.ts";
import { isRecord } from "./read.ts";

export type OpenPushDeps = Pick<UdeskDeps, "account" | "keys" | "now">;

/**
 * Reads a push, or a JSON array of them. Udesk does not publish its form, so three are taken. All or nothing: one message that cannot
 * be read refuses the whole request, which then has changed nothing and can be repeated.
 * @throws VerificationError PUSH_UNAUTHORIZED, DecodeError
 */
export function openPush({ query, ...request }: PushRequest, { account, keys, now }: OpenPushDeps): OpenedPush {
  authorizePush(query, { keys: validAt(keys, now()), requireSign: account.desk.requireSign });
  const { form, fields } = parsePush(request, account);
  const replies = Array.isArray(fields) ? readEach(form, fields) : readReplies(form, fields);
  if (replies.length > REPLIES_MAX) {
    throw new DecodeError("MESSAGE_INVALID", `push has ${replies.length} messages, at most ${REPLIES_MAX} are taken`);
  }
  return { replies };
}

const REPLIES_MAX = 100;

function readEach(form: ParsedPush["form"], pushes: readonly unknown[]): PushedReply[] {
  if (pushes.length === 0) throw new DecodeError("MESSAGE_INVALID", "JSON array is empty; send at least one push in it");
  return pushes.flatMap((fields, index) => {
    try {
      return readReplies(form, fields);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new DecodeError(error.code, `push ${index + 1} of ${pushes.length}: ${error.message}`, { cause: error });
    }
  });
}

function readReplies(form: ParsedPush["form"], fields: unknown): PushedReply[] {
  if (isRecord(fields) && Object.hasOwn(fields, "touser")) return readCustomerService(fields);
  if (isRecord(fields) && Object.hasOwn(fields, "customer_token")) return readCustomerMessages(fields);
  throw new DecodeError("MESSAGE_INVALID", `${form} has neither touser nor customer_token`);
}

import type { HttpBody } from "./channel.ts";
import type { CheckResult } from "./check.ts";
import type { Content } from "./content.ts";
import type { Conversation, StatusReport } from "./conversation.ts";
import type { Message } from "./message.ts";
import type { Outcome } from "./outcome.ts";

/** The desk's answer to one submitted message. A report comes only with `done`. */
export interface Submission {
  outcome: Outcome;
  report?: StatusReport;
  /** Done without a word of the desk, whose protocol promises one: the operator should have a look. */
  isSilent?: true;
}

/** One request of the desk to our push address, as it came. The push token of the path is already checked. */
export interface PushRequest {
  query: Readonly<Record<string, string | string[] | undefined>>;
  contentType: string | undefined;
  body: Buffer;
}

/** What a push holds: things to say to contacts, and what it tells of the conversation. */
export interface OpenedPush {
  replies: PushedReply[];
}

export interface PushedReply {
  openId: string;
  /** The desk's own id of the message, if it sent one. */
  pushId: string | null;
  /** Null when the push carries only a status. */
  content: Content | null;
  report: StatusReport | null;
}

/** One vendor's entrance for agents. Made per account, holds its secrets, keeps no other state. */
export interface Desk {
  /** Hands one inbound message over. May run twice for a message; both times carry the same message id. */
  submit(message: Message, conversation: Conversation, signal: AbortSignal): Promise<Submission>;

  /**
   * Reads a push.
   * @throws VerificationError on a wrong or missing sign, DecodeError with a plain reason when it cannot be read
   */
  openPush(request: PushRequest): OpenedPush;

  /** What a stored push is answered with. */
  readonly pushAcknowledgement: HttpBody;

  /** The desk's own channel test. */
  testChannel(signal: AbortSignal): Promise<CheckResult>;
}

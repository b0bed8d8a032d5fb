import type { CheckResult } from "./check.ts";
import type { Content } from "./content.ts";
import type { InboundMessage } from "./message.ts";
import type { Outcome } from "./outcome.ts";

/** One request of WeChat as it came: query values still may be missing or repeated, the body is raw. */
export interface CallbackRequest {
  query: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

/** What a callback holds once it is verified, decrypted and normalised. */
export type OpenedCallback =
  | {
      kind: "message";
      message: InboundMessage;
      replyTo: ReplyAddress;
      /** The WeCom app that the contact addressed, by its AgentID; null where none is named. Absent: the platform has no apps. */
      addressedApp?: string | null;
    }
  /** Genuine, but nothing a contact did: acknowledged and logged by name. */
  | { kind: "bookkeeping"; name: string };

/** What a passive reply needs to find its way back. */
export interface ReplyAddress {
  openId: string;
  /** Our side as WeChat named it in the callback (ToUserName): gh_… or the corp id. */
  accountName: string;
  /** What the callback was signed and encrypted with, so that the reply is too, whatever was rotated meanwhile; null: it came plain. */
  credential: CallbackCredential | null;
}

/** Lives as long as its callback is open: never stored, never logged. */
export interface CallbackCredential {
  token: string;
  encodingAesKey: string;
}

export interface HttpBody {
  contentType: string;
  body: string;
}

/** One vendor's entrance for contacts. Made per account, holds its secrets, keeps no other state. */
export interface Channel {
  /**
   * Answers the URL check that the platform makes when the address is entered in its console.
   * @returns the echo string to send back exactly
   * @throws VerificationError, DecodeError
   */
  verifyUrl(query: CallbackRequest["query"]): string;

  /**
   * Verifies, decrypts and normalises one callback. Pure: asked twice it answers the same.
   * @throws VerificationError when the sender cannot prove itself, DecodeError when the bytes cannot be read
   */
  open(request: CallbackRequest): OpenedCallback;

  /** What "nothing to say" looks like to this platform. */
  readonly acknowledgement: string;

  /** Sends one content as an asynchronous message. A refusal is an outcome; `signal` ends the wait, then the outcome is uncertain. */
  send(openId: string, content: Content, signal: AbortSignal): Promise<Outcome>;

  /** Whether the platform has a form of its own for this content in an asynchronous message; what it has none for goes out as text. */
  canSend(content: Content): boolean;

  /** Bytes of UTF-8 that one asynchronous text may have. */
  readonly asyncTextBytesMax: number;

  /** How long and how often the platform takes asynchronous messages after this act of the contact; null: it does not limit them. */
  replyAllowance(content: Content): ReplyAllowance | null;

  /** Whether ids and keys have the form that the platform gives them. Asks nobody. */
  testKeys(): CheckResult;

  /** Proves that the platform gives us an access token. */
  testAccess(signal: AbortSignal): Promise<CheckResult>;

  /** Whether the platform lets us send, without sending anything to anybody. */
  testPermission(signal: AbortSignal): Promise<CheckResult>;
}

export interface ReplyAllowance {
  windowMs: number;
  repliesMax: number;
}

/** A channel whose callbacks can carry an answer back. */
export interface PassiveChannel extends Channel {
  /** Bytes of UTF-8 that one passive text may have. */
  readonly passiveTextBytesMax: number;

  /** Whether this content can ride on a callback's response. */
  canRender(content: Content): boolean;

  /** The response body that says `content`. `createdAt` is written into it, so that a repeated callback gets the same reply. */
  renderReply(to: ReplyAddress, content: Content, createdAt: Date): HttpBody;
}

/** A channel whose platform says how it reaches the address that callbacks go to. */
export interface ReachableChannel extends Channel {
  /** Asks the platform for its own look at our address. `ok` as well when it does not say. */
  testReach(signal: AbortSignal): Promise<CheckResult>;
}

export function canTestReach(channel: Channel): channel is ReachableChannel {
  return "testReach" in channel;
}

export function canReplyPassively(channel: Channel): channel is PassiveChannel {
  return "renderReply" in channel;
}

/** What became of a content that has to be uploaded before it can be sent. */
export type PreparedContent =
  /** Now it holds the platform's own media id. */
  | { kind: "ready"; content: Content }
  /** The platform will not have it; a person can still open its address. */
  | { kind: "unfit"; code: string; detail: string }
  /** Its server does not give it now; if this stays so, its address has to do. */
  | { kind: "unreachable"; code: string; detail: string }
  /** Nothing can be sent at all, not even its address. */
  | { kind: "stopped"; outcome: Exclude<Outcome, { kind: "done" | "uncertain" }> };

/** A channel whose platform sends media by its own ids only, and takes uploads. */
export interface UploadChannel extends Channel {
  /** Whether `prepare` can make this content sendable. */
  canPrepare(content: Content): boolean;

  /** Fetches what is known by its address and uploads it. Nothing reaches the contact, so it may run any number of times. */
  prepare(content: Content, signal: AbortSignal): Promise<PreparedContent>;
}

export function canUpload(channel: Channel): channel is UploadChannel {
  return "prepare" in channel;
}

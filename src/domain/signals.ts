import type * as base from "../base/signals.ts";
import type { DeskStatus } from "./conversation.ts";

/** What changed in a conversation. */
export type Change =
  /** Anything: only a query can tell. */
  | { kind: "something" }
  /** A message of the contact is with the desk, which said this; nothing was enqueued with it. Its callback's reservation may have ended with that. */
  | { kind: "forwarded"; messageId: string; status: DeskStatus; isCallbackClosed: boolean };

/** Changes of conversations, by conversation id. */
export type Signals = base.Signals<Change>;
export type Subscription = base.Subscription<Change>;

export const SOMETHING: Change = { kind: "something" };

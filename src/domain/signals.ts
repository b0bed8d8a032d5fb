import type { DeskStatus } from "./conversation.ts";

/** What changed in a conversation. */
export type Change =
  /** Anything: only a look can tell. */
  | { kind: "something" }
  /** A message of the contact is with the desk, which said this; nothing was enqueued with it. */
  | { kind: "forwarded"; messageId: string; status: DeskStatus };

/**
 * "Something changed in this conversation." A lost signal costs latency, never a message: whoever waits also looks again by itself.
 */
export interface Signals {
  notify(conversationId: string, change?: Change): void;
  /** Whether somebody in this process waits for this conversation. */
  isAwaited(conversationId: string): boolean;
  /** From now on no notification is missed until `close`. */
  subscribe(conversationId: string): Subscription;
}

export interface Subscription {
  /** Resolves with what changed since the last call as soon as there is something, else with nothing after `timeoutMs` or `close`. Never rejects. */
  next(timeoutMs: number): Promise<readonly Change[]>;
  /** Once more it does nothing. */
  close(): void;
}

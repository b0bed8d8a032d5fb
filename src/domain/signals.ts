/**
 * "Something changed in this conversation." A lost signal costs latency, never a message: whoever waits also looks again by itself.
 */
export interface Signals {
  notify(conversationId: string): void;
  /** Whether somebody in this process waits for this conversation. */
  isAwaited(conversationId: string): boolean;
  /** From now on no notification is missed until `close`. */
  subscribe(conversationId: string): Subscription;
}

export interface Subscription {
  /** Resolves when there was a notification since the last call, or after `timeoutMs`. Never rejects. */
  next(timeoutMs: number): Promise<void>;
  close(): void;
}

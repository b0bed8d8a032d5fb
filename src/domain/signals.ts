/**
 * "Something changed in this conversation." A lost signal costs latency, never a message: whoever waits also looks again by itself.
 */
export interface Signals {
  notify(conversationId: string): void;
  /** Resolves at the next notification or after `timeoutMs`, whichever is first; never rejects. */
  wait(conversationId: string, timeoutMs: number): Promise<void>;
}

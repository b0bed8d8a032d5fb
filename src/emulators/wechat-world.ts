import type { Book } from "./book.ts";
import type { Caller } from "./exchange.ts";
import type { EmulatedAccount } from "./wechat-account.ts";
import type { MediaShelf } from "./wechat-media.ts";

/** What all accounts of one emulated WeChat share. */
export interface World {
  now(): number;
  caller: Caller;
  shelf: MediaShelf;
  book: Book<Seen>;
  nextMessageId(): bigint;
  callbackTimeoutMs: number;
  hangUpAfter(limitMs: number): AbortSignal;
  tries: number;
}

/** One thing that a customer's screen showed. */
export interface Seen {
  accountId: string;
  way: "passive" | "async";
  /** The platform's type, or `failure` for its own sentence that the account is out of service. */
  type: string;
  text?: string;
  mediaId?: string;
  /** The decrypted XML of a passive reply, the JSON of an asynchronous message. */
  raw: string;
  at: Date;
}

export function show({ book, now }: World, account: EmulatedAccount, openId: string, seen: Omit<Seen, "accountId" | "at">): void {
  book.record(openId, { ...seen, accountId: account.id, at: new Date(now()) });
}

export function toLine({ way, type, text, mediaId }: Seen): string {
  return `${way} ${type} ${JSON.stringify(text ?? mediaId ?? "")}`;
}

import { randomBytes } from "node:crypto";
import type { Book } from "./book.ts";
import type { Caller } from "./exchange.ts";
import type { AccountState } from "./wechat-account-state.ts";

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
  pauseMs: number;
}

export type MediaType = "image" | "voice" | "video" | "thumb" | "file";

export interface Media {
  id: string;
  type: MediaType;
  account: AccountState;
  contentType: string;
  fileName: string;
  bytes: Buffer;
}

/** Temporary media, whether a customer sent it or the account uploaded it. */
export interface MediaShelf {
  put(media: Omit<Media, "id">): Media;
  get(id: string): Media | null;
  /** Whether the account may use this id in a message. */
  holds(account: AccountState, id: string): boolean;
}

export function createMediaShelf(): MediaShelf {
  const shelf = new Map<string, Media>();
  return {
    put: (media) => {
      const stored = { ...media, id: randomBytes(48).toString("base64url") };
      shelf.set(stored.id, stored);
      return stored;
    },
    get: (id) => shelf.get(id) ?? null,
    holds: (account, id) => shelf.get(id)?.account === account,
  };
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

export function show({ book, now }: World, account: AccountState, openId: string, seen: Omit<Seen, "accountId" | "at">): void {
  book.record(openId, { ...seen, accountId: account.id, at: new Date(now()) });
}

export function toLine({ way, type, text, mediaId }: Seen): string {
  return `${way} ${type} ${JSON.stringify(text ?? mediaId ?? "")}`;
}

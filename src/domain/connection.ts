import type { Account } from "./account.ts";
import type { Channel } from "./channel.ts";
import type { Desk } from "./desk.ts";

/** An enabled account with both of its ends. */
export interface Connection {
  account: Account;
  channel: Channel;
  desk: Desk;
  /** Whether it is the push token, or an old one in its overlap. Compares in constant time. */
  acceptsPushToken(given: string): boolean;
}

export interface Connections {
  /** Null when there is no such account or it is disabled. May be a second old when another process changed the account. */
  get(accountId: string): Promise<Connection | null>;
  /** The account was changed by this process: look again at once. */
  forget(accountId: string): void;
}

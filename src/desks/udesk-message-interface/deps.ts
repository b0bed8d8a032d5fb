import type { Account } from "../../domain/account.ts";
import type { Credential } from "../../domain/credential.ts";
import type { HttpClient } from "../../lib/http-client.ts";

/** All that this desk needs to work for one account. */
export interface UdeskDeps {
  account: Account;
  /** The KEY that Udesk shows beside the message push server address. */
  key: string;
  /** What the sign of a push may be made with: that key, and former ones in their overlap. */
  keys: readonly Credential[];
  http: HttpClient;
  now: () => Date;
}

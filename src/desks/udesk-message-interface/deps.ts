import type { HttpClient } from "../../base/http-client.ts";
import type { Account } from "../../domain/account.ts";
import type { Credential } from "../../domain/credential.ts";

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

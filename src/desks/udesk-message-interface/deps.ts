import type { Account } from "../../domain/account.ts";
import type { HttpClient } from "../../lib/http-client.ts";

/** All that this desk needs to work for one account. */
export interface UdeskDeps {
  account: Account;
  /** The KEY that Udesk shows beside the message push server address. */
  key: string;
  http: HttpClient;
  now: () => Date;
}

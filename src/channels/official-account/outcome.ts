import type { Outcome } from "../../domain/outcome.ts";
import { type Errcodes, judge } from "../../lib/errcodes.ts";

const MINUTE_MS = 60_000;

/**
 * Official Accounts' return codes (wechat.md §9). What an operator can mend is retried, so that replies wait in order until it is.
 * 48001 is mended by certifying the account, if ever; until then the contact's next message can carry the reply, so it is held.
 */
const ERRCODES: Errcodes = new Map([
  ["-1", { action: "retry", meaning: "WeChat is busy; it is tried again up to three times", triesMax: 3 }],
  ["40001", { action: "refresh", meaning: "the access token is not valid; a new one is fetched" }],
  ["40014", { action: "refresh", meaning: "the access token is not valid; a new one is fetched" }],
  ["42001", { action: "refresh", meaning: "the access token has expired; a new one is fetched" }],
  ["41001", { action: "retry", meaning: "the access token is missing from the request; this is a fault of the gateway, report it" }],
  [
    "40003",
    { action: "rejected", meaning: "the openid belongs to another account; check the account's appId and where the reply came from" },
  ],
  ["40007", { action: "rejected", meaning: "the media id is wrong or older than three days; upload the media again and send the new id" }],
  ["40013", { action: "retry", meaning: "the appId is wrong; copy it from the account's basic configuration" }],
  ["40125", { action: "retry", meaning: "the appSecret is wrong; set the current one" }],
  ["40164", { action: "retry", meaning: "the gateway's address is not on the account's IP list; add it in the basic configuration" }],
  ["40033", { action: "rejected", meaning: "WeChat cannot read the characters of the message; send it in other words" }],
  ["44004", { action: "rejected", meaning: "the message is empty; send it with content" }],
  ["47001", { action: "rejected", meaning: "WeChat cannot read the message; this is a fault of the gateway, report it" }],
  ["43004", { action: "rejected", meaning: "the contact does not follow the account; they have to follow it first" }],
  ["43019", { action: "rejected", meaning: "the contact is on the account's block list; unblock them first" }],
  ["50005", { action: "rejected", meaning: "the contact does not follow the account; they have to follow it first" }],
  ["48002", { action: "rejected", meaning: "the contact refuses messages of the account; only they can change it" }],
  ["45002", { action: "rejected", meaning: "the message is too long; send it in parts" }],
  ["45009", { action: "retry", meaning: "the account's calls of today are used up; wait for midnight (Beijing) or clear the quota" }],
  ["45011", { action: "retry", meaning: "too many calls in this minute; it is tried again after one", retryAfterMs: MINUTE_MS }],
  ["45015", { action: "hold", meaning: "the contact's time window is over; it goes out with their next message" }],
  ["45047", { action: "hold", meaning: "the replies to the contact's last message are used up; it goes out with their next one" }],
  ["48001", { action: "hold", meaning: "the account may not send; certify it in WeChat, or set replies.async to false" }],
  ["48004", { action: "retry", meaning: "WeChat has banned this interface for the account; see the notices in its console" }],
  ["50002", { action: "retry", meaning: "WeChat has restricted the account; see the notices in its console" }],
  ["40200", { action: "rejected", meaning: "the account may not send menu messages; send it as text" }],
]);

/** When a token is asked for, 40001 speaks of the secret, not of a token. */
export const TOKEN_ERRCODES: Errcodes = new Map([
  ...ERRCODES,
  ["40001", { action: "retry", meaning: "the appSecret is wrong; set the current one" }],
]);

export function toOutcome(errcode: string, errmsg: string): Outcome {
  return judge(ERRCODES, errcode, errmsg);
}

export function isTokenRefused(errcode: string): boolean {
  return ERRCODES.get(errcode)?.action === "refresh";
}

/** Null for a code that is not in the table. */
export function meaningOf(errcode: string): string | null {
  return ERRCODES.get(errcode)?.meaning ?? null;
}

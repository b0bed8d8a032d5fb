import { z } from "zod";
import { DONE, type Outcome } from "../../domain/outcome.ts";
import { type Errcodes, judge } from "../../lib/errcodes.ts";

const MINUTE_MS = 60_000;

/**
 * WeCom's return codes (wechat.md §9). The numbers look like those of Official Accounts and partly mean something else: 40001 is
 * the secret here, 45009 a frequency. What an operator can mend is retried, so that replies wait in order until it is.
 */
const ERRCODES: Errcodes = new Map([
  ["-1", { action: "retry", meaning: "WeCom is busy; it is tried again up to three times", triesMax: 3 }],
  ["40001", { action: "retry", meaning: "the corpSecret is wrong; copy the secret of this app from WeCom's console" }],
  ["40013", { action: "retry", meaning: "the corpId is wrong; copy it from WeCom's console under My Company" }],
  ["40014", { action: "refresh", meaning: "the access token is not valid; a new one is fetched" }],
  ["42001", { action: "refresh", meaning: "the access token has expired; a new one is fetched" }],
  ["41001", { action: "retry", meaning: "the access token is missing from the request; this is a fault of the gateway, report it" }],
  ["40003", { action: "rejected", meaning: "the company has no such member; check the userid" }],
  ["60111", { action: "rejected", meaning: "the company has no such member; check the userid" }],
  ["46004", { action: "rejected", meaning: "the company has no such member; check the userid" }],
  ["40007", { action: "rejected", meaning: "the media id is wrong or older than three days; upload the media again and send the new id" }],
  [
    "60020",
    { action: "retry", meaning: "the gateway's address is not trusted; add it to the app's trusted IPs, it works about a minute later" },
  ],
  [
    "301042",
    { action: "retry", meaning: "the gateway's address is not trusted; add it to the app's trusted IPs, it works about a minute later" },
  ],
  ["40058", { action: "rejected", meaning: "WeCom does not accept a field of the message; read its own words and send it differently" }],
  ["40063", { action: "rejected", meaning: "a field of the message is empty; send it with content" }],
  ["44004", { action: "rejected", meaning: "the message is empty; send it with content" }],
  ["82001", { action: "rejected", meaning: "the message has no receiver; check the userid" }],
  ["81013", { action: "rejected", meaning: "the receiver is not one of the company's members; check the userid" }],
  ["60011", { action: "retry", meaning: "the member is outside the app's visible range; add them to it in WeCom's console" }],
  ["45002", { action: "rejected", meaning: "the message is too long; send it in parts" }],
  ["45009", { action: "retry", meaning: "too many calls; it is tried again after a minute", retryAfterMs: MINUTE_MS }],
  ["45033", { action: "retry", meaning: "too many calls at once; it is tried again" }],
  ["48002", { action: "retry", meaning: "the app may not use this interface; permit it in WeCom's console" }],
  ["50003", { action: "retry", meaning: "the app is disabled; enable it in WeCom's console" }],
  ["40056", { action: "retry", meaning: "the agentId is wrong; copy it from the app's page in WeCom's console" }],
  ["301002", { action: "retry", meaning: "the corpSecret belongs to another app than the agentId; copy both from the same app's page" }],
  ["95001", { action: "hold", meaning: "the replies to the contact's last message are used up; it goes out with their next one" }],
  ["95002", { action: "hold", meaning: "the contact's time window is over; it goes out with their next message" }],
  ["95013", { action: "rejected", meaning: "the customer-service session has ended; the contact has to write again" }],
  [
    "95016",
    { action: "rejected", meaning: "the customer-service session cannot change to this state; assign it again in WeCom's console" },
  ],
  ["95017", { action: "rejected", meaning: "the customer-service interface is switched off; switch it on in WeCom's console" }],
  [
    "95018",
    { action: "rejected", meaning: "the customer-service session is in a state that takes no messages; check who serves it in WeCom" },
  ],
]);

/** The token call answers with the same codes. */
export const TOKEN_ERRCODES = ERRCODES;

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

const leftOutSchema = z.object({ invaliduser: z.string().default(""), unlicenseduser: z.string().default("") });

/** With errcode 0 WeCom may still have left the receiver out, and says so in lists like "li|zhang", in lower case. */
export function toDeliveryOutcome(userId: string, fields: Record<string, unknown>): Outcome {
  const { invaliduser, unlicenseduser } = leftOutSchema.catch({ invaliduser: "", unlicenseduser: "" }).parse(fields);
  if (names(invaliduser, userId)) {
    const detail = "invaliduser: WeCom knows no such member, or the app may not see them; check the userid and the app's visible range";
    return { kind: "rejected", code: "invaliduser", detail };
  }
  if (names(unlicenseduser, userId)) {
    const detail = "unlicenseduser: the member has no interface licence; assign one in WeCom's console";
    return { kind: "rejected", code: "unlicenseduser", detail };
  }
  return DONE;
}

function names(list: string, userId: string): boolean {
  return list.toLowerCase().split("|").includes(userId.toLowerCase());
}

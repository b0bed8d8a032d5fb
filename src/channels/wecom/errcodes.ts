import type { Errcode, Errcodes } from "../../platform/errcodes.ts";

const MINUTE_MS = 60_000;

const WRONG_SECRET: Errcode = {
  action: "retry",
  meaning: "the corpSecret is wrong",
  remedy: "copy the Secret from the page of this app in WeCom's console",
};
const NO_SUCH_MEMBER: Errcode = { action: "rejected", meaning: "the company has no such member", remedy: "check the userid" };
const NOT_TRUSTED: Errcode = {
  action: "retry",
  meaning: "WeCom does not take calls from this machine's address",
  remedy: "add {address} to the trusted IPs on the app's page in WeCom's console; it works about a minute later",
};
const OUR_FAULT = "this is a fault of the gateway: report it";

/**
 * WeCom's return codes (wechat.md §9; developer.work.weixin.qq.com/document/path/90313). The numbers look like those of Official
 * Accounts and partly mean something else: 40001 is the secret here, 45009 a frequency. What an operator can mend is retried, so that
 * replies wait in order until it is.
 */
export const ERRCODES: Errcodes = new Map<string, Errcode>([
  ["-1", { action: "retry", meaning: "WeCom is busy", remedy: "nothing: it is tried again, three times in all", triesMax: 3 }],
  ["40001", WRONG_SECRET],
  ["40003", NO_SUCH_MEMBER],
  [
    "40004",
    {
      action: "rejected",
      meaning: "WeCom does not take media of this type",
      remedy: "send a JPG or PNG, an AMR voice, an MP4 video, or a file",
    },
  ],
  [
    "40007",
    {
      action: "upload",
      meaning: "the media id is wrong or older than three days",
      remedy: "upload the media again and send the new id",
    },
  ],
  ["40008", { action: "rejected", meaning: "WeCom does not know this type of message", remedy: "send it as text" }],
  ["40013", { action: "retry", meaning: "the corpId is wrong", remedy: "copy the company's id (ww…) from My Company in WeCom's console" }],
  ["40014", { action: "refresh", meaning: "the access token is not valid", remedy: "nothing: a new one is fetched" }],
  ["40035", { action: "rejected", meaning: "WeCom does not accept a parameter", remedy: "read WeCom's own words and send it differently" }],
  ["40056", { action: "retry", meaning: "the agentId is wrong", remedy: "copy the AgentId from the app's page in WeCom's console" }],
  [
    "40058",
    {
      action: "rejected",
      meaning: "WeCom does not accept a field of the message",
      remedy: "read WeCom's own words and send it differently",
    },
  ],
  ["40063", { action: "rejected", meaning: "a field of the message is empty", remedy: "send it with content" }],
  ["40091", WRONG_SECRET],
  ["41001", { action: "retry", meaning: "the access token is missing from the request", remedy: OUR_FAULT }],
  ["41002", { action: "retry", meaning: "the corpId is missing from the request", remedy: OUR_FAULT }],
  ["41004", { action: "retry", meaning: "the corpSecret is missing from the request", remedy: OUR_FAULT }],
  ["41011", { action: "retry", meaning: "the agentId is missing from the request", remedy: OUR_FAULT }],
  ["42001", { action: "refresh", meaning: "the access token has expired", remedy: "nothing: a new one is fetched" }],
  ["44004", { action: "rejected", meaning: "the message is empty", remedy: "send it with content" }],
  [
    "45001",
    {
      action: "rejected",
      meaning: "the media is too large",
      remedy: "send a smaller one: 10 MB for pictures and videos, 2 MB for voice, 20 MB for files",
    },
  ],
  ["45002", { action: "split", meaning: "the message is too long", remedy: "write it shorter, if smaller parts were refused as well" }],
  ["45009", { action: "retry", meaning: "too many calls", remedy: "nothing: it is tried again after a minute", retryAfterMs: MINUTE_MS }],
  ["45033", { action: "retry", meaning: "too many calls at once", remedy: "nothing: it is tried again" }],
  ["46004", NO_SUCH_MEMBER],
  ["48002", { action: "retry", meaning: "the app may not use this interface", remedy: "permit it in WeCom's console" }],
  ["50003", { action: "retry", meaning: "the app is disabled", remedy: "enable it in WeCom's console" }],
  [
    "60011",
    {
      action: "retry",
      meaning: "the member is outside the app's visible range",
      remedy: "add them to it on the app's page in WeCom's console",
    },
  ],
  ["60020", NOT_TRUSTED],
  ["60111", NO_SUCH_MEMBER],
  ["81013", { action: "rejected", meaning: "the receiver is not one of the company's members", remedy: "check the userid" }],
  ["82001", { action: "rejected", meaning: "the message has no receiver", remedy: "check the userid" }],
  [
    "95001",
    {
      action: "hold",
      ended: "quota",
      meaning: "the replies to the contact's last message are used up",
      remedy: "nothing: it goes out with their next one",
    },
  ],
  [
    "95002",
    {
      action: "hold",
      ended: "window",
      meaning: "the contact's time window is over",
      remedy: "nothing: it goes out with their next message",
    },
  ],
  ["95013", { action: "rejected", meaning: "the customer-service session has ended", remedy: "the contact has to write again" }],
  [
    "95016",
    {
      action: "rejected",
      meaning: "the customer-service session cannot change to this state",
      remedy: "assign it again in WeCom's console",
    },
  ],
  ["95017", { action: "rejected", meaning: "the customer-service interface is switched off", remedy: "switch it on in WeCom's console" }],
  [
    "95018",
    {
      action: "rejected",
      meaning: "the customer-service session is in a state that takes no messages",
      remedy: "check who serves it in WeCom",
    },
  ],
  [
    "301002",
    {
      action: "retry",
      meaning: "the corpSecret belongs to another app than the agentId",
      remedy: "copy AgentId and Secret from the same app's page in WeCom's console",
    },
  ],
  ["301042", NOT_TRUSTED],
]);

import type { Errcode, Errcodes } from "../../platform/errcodes.ts";

const MINUTE_MS = 60_000;

const NOT_VALID: Errcode = {
  action: "refresh",
  meaning: "the access token is not valid",
  remedy: "nothing: a new one is fetched. If it comes back, another system asks for tokens of this appId: let it use stable_token",
};
const NOT_FOLLOWING: Errcode = {
  action: "rejected",
  meaning: "the contact does not follow the account",
  remedy: "they have to follow it first",
};
const OUR_FAULT = "this is a fault of the gateway: report it";

/**
 * Official Accounts' return codes (wechat.md §9; developers.weixin.qq.com, Global_Return_Code and Get_access_token). What an operator
 * can mend is retried, so that replies wait in order until it is. 48001 is mended by certifying the account, if ever; until then the
 * contact's next message can carry the reply, so it is held.
 */
export const ERRCODES: Errcodes = new Map<string, Errcode>([
  ["-1", { action: "retry", meaning: "WeChat is busy", remedy: "nothing: it is tried again, three times in all", triesMax: 3 }],
  ["40001", NOT_VALID],
  ["40002", { action: "retry", meaning: "WeChat does not know the kind of token asked for", remedy: OUR_FAULT }],
  [
    "40003",
    {
      action: "rejected",
      meaning: "the openid belongs to another account",
      remedy: "check the account's appId, and where the reply came from",
    },
  ],
  [
    "40004",
    {
      action: "rejected",
      meaning: "WeChat does not take media of this type",
      remedy: "send a picture, an AMR or MP3 voice, or an MP4 video",
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
  ["40008", { action: "rejected", meaning: "WeChat does not know this type of message", remedy: "send it as text" }],
  [
    "40013",
    {
      action: "retry",
      meaning: "the appId is wrong",
      remedy: "copy the AppID (wx…) from the basic configuration of WeChat's console; a gh_ name is not it",
    },
  ],
  ["40014", NOT_VALID],
  ["40033", { action: "rejected", meaning: "WeChat cannot read the characters of the message", remedy: "send it in other words" }],
  [
    "40125",
    {
      action: "retry",
      meaning: "the appSecret is wrong",
      remedy: "set the current AppSecret; if nobody has it, reset it in the basic configuration of WeChat's console",
    },
  ],
  [
    "40164",
    {
      action: "retry",
      meaning: "WeChat does not take calls from this machine's address",
      remedy: "add {address} to the IP allow-list in the basic configuration of WeChat's console",
    },
  ],
  ["40200", { action: "rejected", meaning: "this kind of account may not send this", remedy: "send it as text" }],
  [
    "40201",
    {
      action: "rejected",
      meaning: "no server address is entered at WeChat",
      remedy: "enter the account's callbackUrl in WeChat's console",
    },
  ],
  [
    "40243",
    {
      action: "retry",
      meaning: "the appSecret is frozen",
      remedy: "unfreeze it in the basic configuration of WeChat's console, or set the new one",
    },
  ],
  ["41001", { action: "retry", meaning: "the access token is missing from the request", remedy: OUR_FAULT }],
  ["41002", { action: "retry", meaning: "the appId is missing from the request", remedy: OUR_FAULT }],
  ["41004", { action: "retry", meaning: "the appSecret is missing from the request", remedy: OUR_FAULT }],
  ["42001", { action: "refresh", meaning: "the access token has expired", remedy: "nothing: a new one is fetched" }],
  [
    "43003",
    {
      action: "retry",
      meaning: "WeChat wants to be called with https",
      remedy: "set the account's apiBaseUrl to https://api.weixin.qq.com",
    },
  ],
  ["43004", NOT_FOLLOWING],
  [
    "43019",
    { action: "rejected", meaning: "the contact is on the account's block list", remedy: "unblock them in WeChat's console first" },
  ],
  ["44004", { action: "rejected", meaning: "the message is empty", remedy: "send it with content" }],
  [
    "45001",
    { action: "rejected", meaning: "the media is too large", remedy: "send a smaller one: 10 MB for pictures and videos, 2 MB for voice" },
  ],
  ["45002", { action: "split", meaning: "the message is too long", remedy: "write it shorter, if smaller parts were refused as well" }],
  ["45008", { action: "rejected", meaning: "the message has too many articles", remedy: "send one article at a time" }],
  [
    "45009",
    {
      action: "retry",
      meaning: "the account's calls of today are used up",
      remedy: "wait for midnight (Beijing), or clear the quota in WeChat's console",
    },
  ],
  [
    "45011",
    { action: "retry", meaning: "too many calls in this minute", remedy: "nothing: it is tried again after one", retryAfterMs: MINUTE_MS },
  ],
  [
    "45015",
    {
      action: "hold",
      ended: "window",
      meaning: "the contact's time window is over",
      remedy: "nothing: it goes out with their next message",
    },
  ],
  [
    "45047",
    {
      action: "hold",
      ended: "quota",
      meaning: "the replies to the contact's last message are used up",
      remedy: "nothing: it goes out with their next one",
    },
  ],
  ["45072", { action: "rejected", meaning: "WeChat does not know this typing command", remedy: OUR_FAULT }],
  [
    "45080",
    { action: "rejected", meaning: "typing is shown only shortly after a message", remedy: "nothing: the message itself is not concerned" },
  ],
  ["45081", { action: "rejected", meaning: "typing is shown already", remedy: "nothing: the message itself is not concerned" }],
  ["46001", { action: "upload", meaning: "WeChat no longer has the media", remedy: "upload the media again and send the new id" }],
  ["47001", { action: "rejected", meaning: "WeChat cannot read the message", remedy: OUR_FAULT }],
  [
    "48001",
    {
      action: "hold",
      meaning: "the account may not send customer-service messages",
      remedy: "get the account verified in WeChat's console, or set replies.async to false",
    },
  ],
  ["48002", { action: "rejected", meaning: "the contact refuses messages of the account", remedy: "only they can change it" }],
  [
    "48004",
    { action: "retry", meaning: "WeChat has banned this interface for the account", remedy: "see the notices in WeChat's console" },
  ],
  ["50002", { action: "retry", meaning: "WeChat has restricted or frozen the account", remedy: "see the notices in WeChat's console" }],
  ["50005", NOT_FOLLOWING],
  [
    "61004",
    {
      action: "retry",
      meaning: "WeChat does not take calls from this machine's address",
      remedy: "add {address} to the IP allow-list in WeChat's console",
    },
  ],
  [
    "89501",
    {
      action: "retry",
      meaning: "the account's administrator has not yet confirmed calls from this machine's address",
      remedy: "ask them to confirm {address} in WeChat",
    },
  ],
  [
    "89503",
    {
      action: "retry",
      meaning: "the account's administrator has to confirm calls from this machine's address",
      remedy: "ask them to confirm {address} in WeChat",
    },
  ],
  [
    "89506",
    {
      action: "retry",
      meaning: "the account's administrator has refused this machine's address twice; WeChat asks them again after 24 hours",
      remedy: "settle it with them, or add {address} to the IP allow-list in WeChat's console",
    },
  ],
  [
    "89507",
    {
      action: "retry",
      meaning: "the account's administrator has refused this machine's address; WeChat asks them again after an hour",
      remedy: "settle it with them, or add {address} to the IP allow-list in WeChat's console",
    },
  ],
]);

/** When a token is asked for, 40001 speaks of the secret, not of a token. */
export const TOKEN_ERRCODES: Errcodes = new Map<string, Errcode>([
  ...ERRCODES,
  [
    "40001",
    {
      action: "retry",
      meaning: "the appSecret is wrong",
      remedy: "set the current AppSecret; if nobody has it, reset it in the basic configuration of WeChat's console",
    },
  ],
]);

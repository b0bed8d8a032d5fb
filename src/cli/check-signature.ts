import { createHash } from "node:crypto";
import { type StampedIdentity, toDeskTimestamp, verifySign } from "../desks/udesk-message-interface/sign.ts";

export interface SignatureVerdict {
  ok: boolean;
  /** What is wrong, most likely cause first; or what is right but odd. */
  sentences: string[];
}

const PARAMETERS = ["number", "email", "timestamp", "sign"] as const;

/** Whether an im_callback address (or its query alone) is signed with this key; if not, with which mistake it would be. Pure. */
export function checkSignature(urlOrQuery: string, key: string, now: Date): SignatureVerdict {
  const query = urlOrQuery
    .trim()
    .replace(/^[^?]*\?/, "")
    .replace(/#.*$/, "");
  const raw = new Map(query.split("&").map((pair) => [pair.split("=", 1)[0] ?? "", pair.slice(pair.indexOf("=") + 1)]));
  const missing = PARAMETERS.filter((name) => !raw.has(name));
  if (missing.length > 0) {
    return {
      ok: false,
      sentences: [`${missing.join(", ")} missing; the query must hold number, email, timestamp and sign, empty ones too`],
    };
  }
  const given = { number: raw.get("number") ?? "", email: raw.get("email") ?? "", timestamp: raw.get("timestamp") ?? "" };
  const identity = { number: decode(given.number), email: decode(given.email), timestamp: decode(given.timestamp) };
  const sign = decode(raw.get("sign") ?? "");
  const notes = toNotes(given, identity, sign, now);
  if (verifySign(sign, identity, key)) return { ok: true, sentences: notes };
  if (!/^[0-9a-f]{32}$/i.test(sign)) {
    return { ok: false, sentences: ["sign is not 32 hexadecimal characters; it is the MD5 in hex", ...notes] };
  }
  const mistake = MISTAKES.find(([, toText]) => md5(toText(identity, key, given)) === sign.toUpperCase());
  const cause = mistake?.[0] ?? "the sign belongs to another key, or number, email or timestamp were changed after signing";
  return { ok: false, sentences: [cause, ...notes] };
}

/** What goes wrong in practice, each with the text that was hashed then. */
const MISTAKES: readonly [cause: string, toText: (identity: StampedIdentity, key: string, given: StampedIdentity) => string][] = [
  [
    "the URL-encoded values were signed; sign the plain ones, with @ as it is",
    (_, key, { number, email, timestamp }) => `number=${number}&email=${email}&timestamp=${timestamp}&${key}`,
  ],
  [
    "@ was signed as %40; sign it as it is",
    ({ number, email, timestamp }, key) => `number=${number}&email=${encodeURIComponent(email)}&timestamp=${timestamp}&${key}`,
  ],
  ...toOrders(),
  [
    "the key was put behind without an & before it",
    ({ number, email, timestamp }, key) => `number=${number}&email=${email}&timestamp=${timestamp}${key}`,
  ],
  [
    "the key was signed as key=…; it stands bare",
    ({ number, email, timestamp }, key) => `number=${number}&email=${email}&timestamp=${timestamp}&key=${key}`,
  ],
  [
    "the key was signed with a line break behind it",
    ({ number, email, timestamp }, key) => `number=${number}&email=${email}&timestamp=${timestamp}&${key}\n`,
  ],
  ["empty number or email were left out; sign them empty", (identity, key) => `${joinGiven(identity)}&${key}`],
];

function toOrders(): typeof MISTAKES {
  const orders = [
    "number,timestamp,email",
    "email,number,timestamp",
    "email,timestamp,number",
    "timestamp,number,email",
    "timestamp,email,number",
  ];
  return orders.map((order) => [
    `the parts were signed in the order ${order.replaceAll(",", ", ")}; it must be number, email, timestamp`,
    (identity, key) =>
      `${order
        .split(",")
        .map((name) => `${name}=${identity[name as keyof StampedIdentity]}`)
        .join("&")}&${key}`,
  ]);
}

function joinGiven({ number, email, timestamp }: StampedIdentity): string {
  const parts = [
    ["number", number],
    ["email", email],
    ["timestamp", timestamp],
  ].filter(([, value]) => value !== "");
  return parts.map(([name, value]) => `${name}=${value}`).join("&");
}

const CLOCK_TOLERANCE_MS = 10 * 60_000;

/** What a strict desk may refuse although the signature is right. */
function toNotes(given: StampedIdentity, { timestamp }: StampedIdentity, sign: string, now: Date): string[] {
  return [
    ...(sign !== sign.toUpperCase() ? ["sign is in lower case; Udesk writes it in upper case"] : []),
    ...(/%40/i.test(given.email) ? ["@ is URL-encoded in the address; Udesk wants it as it is"] : []),
    ...(given.number.includes("+") ? ["number holds a +, which a server reads as a blank; send digits only"] : []),
    ...toTimestampNotes(timestamp, now),
  ];
}

function toTimestampNotes(timestamp: string, now: Date): string[] {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(timestamp) ?? [];
  if (year === undefined) return ["timestamp is not yyyyMMddHHmmss"];
  const moment = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`);
  const isNear = Math.abs(now.getTime() - moment.getTime()) <= CLOCK_TOLERANCE_MS;
  return isNear ? [] : [`timestamp is not of the last minutes: in Beijing it is ${toDeskTimestamp(now)} now`];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex").toUpperCase();
}

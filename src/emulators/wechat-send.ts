import type { LoopbackAnswer } from "./loopback-answer.ts";
import type { EmulatedAccount } from "./wechat-account.ts";
import { readSendBody, type SendBody } from "./wechat-body.ts";
import { accept, refuse, toError } from "./wechat-errors.ts";
import { cutToBytes, TEXT_BYTES_MAX } from "./wechat-limits.ts";
import { type Seen, show, type World } from "./wechat-world.ts";

/** wechat.md §8: how long `enable_duplicate_check` remembers, unless the call says otherwise. */
const DUPLICATE_INTERVAL_S = 1800;

/** `POST /cgi-bin/message/custom/send` of an Official Account. */
export function sendToCustomer(account: EmulatedAccount, raw: string, world: World): LoopbackAnswer {
  if (!account.maySend) return refuse(48001);
  const body = readSendBody(raw, "official_account");
  if (typeof body === "number") return refuse(body);

  const { touser, text = "", mediaIds } = body;
  if (!account.followers.knows(touser)) return refuse(40003);
  if (!account.followers.follows(touser)) return refuse(43004);
  if (!mediaIds.every((id) => world.shelf.holds(account, id))) return refuse(40007);
  if (Buffer.byteLength(text) > account.asyncTextBytesMax) return refuse(45002);
  const code = account.limitsSends ? account.followers.take(touser) : 0;
  if (code) return refuse(code);

  show(world, account, touser, toSeen(body, raw));
  return accept();
}

/** `POST /cgi-bin/message/send` of a WeCom app. */
export function sendToMembers(account: EmulatedAccount, raw: string, world: World): LoopbackAnswer {
  if (!account.maySend) return refuse(48001);
  const body = readSendBody(raw, "wecom");
  if (typeof body === "number") return refuse(body);
  if (account.details.kind !== "wecom" || body.json.agentid !== account.details.agentId) return refuse(40056);
  if (!body.mediaIds.every((id) => world.shelf.holds(account, id))) return refuse(40007);
  if (Buffer.byteLength(body.text ?? "") > account.asyncTextBytesMax) return refuse(45002);

  const members = body.touser.split("|");
  const reached = members.filter((member) => account.followers.follows(member));
  const invaliduser = members
    .filter((member) => !reached.includes(member))
    .join("|")
    .toLowerCase();
  // Strangers alone are an error. A member who has left makes a success that names them: WeCom does both.
  if (!members.some((member) => account.followers.knows(member))) return accept({ ...toError(81013), invaliduser });

  for (const member of reached) {
    if (!isRepetition(account, member, body, raw, world)) show(world, account, member, toSeen(body, raw));
  }
  return accept({ invaliduser, msgid: `msg_${world.nextMessageId()}` });
}

/** With `enable_duplicate_check` a call that says the same again succeeds and shows nothing. */
function isRepetition({ id }: EmulatedAccount, member: string, { json }: SendBody, raw: string, { book, now }: World): boolean {
  if (json.enable_duplicate_check !== 1) return false;
  const interval = json.duplicate_check_interval;
  const since = now() - (typeof interval === "number" ? interval : DUPLICATE_INTERVAL_S) * 1000;
  return book.of(member).some((seen) => seen.accountId === id && seen.raw === raw && seen.at.getTime() > since);
}

function toSeen({ type, text, mediaId }: SendBody, raw: string): Omit<Seen, "accountId" | "at"> {
  // WeCom cuts what is too long; on an Official Account such a text has been refused before.
  return { way: "async", type, raw, text: text === undefined ? undefined : cutToBytes(text, TEXT_BYTES_MAX), mediaId };
}

import type { LoopbackAnswer } from "./loopback-answer.ts";
import type { EmulatedAccount } from "./wechat-account.ts";
import { accept, refuse } from "./wechat-errors.ts";

/** `POST /cgi-bin/message/custom/typing`: needs the same permission as sending, and an openid that there is. Nobody sees anything. */
export function showTyping(account: EmulatedAccount, raw: string): LoopbackAnswer {
  if (!account.maySend) return refuse(48001);
  const { touser, command } = readObject(raw);
  if (command !== "Typing" && command !== "CancelTyping") return refuse(45072);
  return typeof touser === "string" && account.followers.knows(touser) ? accept() : refuse(40003);
}

/** `POST /cgi-bin/callback/check`: on loopback there is one address, and it is always up. */
export function checkCallback({ callbackUrl }: EmulatedAccount): LoopbackAnswer {
  if (!URL.canParse(callbackUrl)) return refuse(40201);
  const ip = new URL(callbackUrl).hostname;
  const ping = { ip, from_operator: "CAP", package_loss: "0%", time: "0.042ms" };
  return accept({ dns: [{ ip, real_operator: "CAP" }], ping: [ping] });
}

/** `GET /cgi-bin/agent/get`: an app may look at itself only. */
export function showApp(
  { details, maySend }: EmulatedAccount,
  agentId: string | null,
  accounts: ReadonlySet<EmulatedAccount>,
): LoopbackAnswer {
  if (details.kind !== "wecom") return refuse(40014);
  if (!maySend) return refuse(48002);
  if (agentId === String(details.agentId)) return accept({ agentid: details.agentId, name: "Emulated app", close: 0 });
  const isOther = [...accounts].some(
    ({ details: other }) => other.kind === "wecom" && other.corpId === details.corpId && String(other.agentId) === agentId,
  );
  return refuse(isOther ? 301002 : 40056);
}

function readObject(raw: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(raw));
  } catch {
    return {};
  }
}

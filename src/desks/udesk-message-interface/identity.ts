import { createHash } from "node:crypto";
import type { Account } from "../../domain/account.ts";
import type { Conversation } from "../../domain/conversation.ts";
import type { Identity } from "./sign.ts";

/**
 * The number and e-mail that stand for a contact. What is not known stays empty or, with `identity: "synthetic"`, is made from the
 * contact. Never a constant: Udesk merges customers who share a phone or an e-mail, and two strangers would read each other's words.
 */
export function toIdentity({ id, desk }: Account, { openId, contact }: Pick<Conversation, "openId" | "contact">): Identity {
  const standIn = desk.identity === "synthetic" ? toStandIn(id, openId) : NOBODY;
  return {
    number: toDigits(contact.number) || standIn.number,
    email: toPlainEmail(contact.email) || standIn.email,
  };
}

const NOBODY: Identity = { number: "", email: "" };

/**
 * Stable for this contact of this account. 18 digits are longer than any telephone number (E.164 ends at 15) and `.invalid` is
 * reserved, so neither can belong to a person.
 */
function toStandIn(accountId: string, openId: string): Identity {
  const digest = createHash("sha256").update(accountId).update("\0").update(openId).digest("hex");
  const digits = (BigInt(`0x${digest}`) % 10n ** 18n).toString().padStart(18, "0");
  return { number: digits, email: `${digest.slice(0, 32)}@wechat.invalid` };
}

/** A `+` would reach the desk as a blank and break the signature. */
function toDigits(number: string | null): string {
  return number?.replace(/\D/g, "") ?? "";
}

/** Only addresses that no URL has to escape: unreserved characters around one `@`. Any other is as good as unknown. */
const PLAIN_EMAIL = /^[A-Za-z0-9._~-]{1,64}@[A-Za-z0-9.-]{1,255}$/;

function toPlainEmail(email: string | null): string {
  const trimmed = email?.trim() ?? "";
  return PLAIN_EMAIL.test(trimmed) ? trimmed : "";
}

/** Which values a signed query cannot carry: they are hashed raw, and no URL may have to escape them. */
export function findUnsignable({ number, email }: Identity): readonly (keyof Identity)[] {
  const isEmailFine = email === "" || PLAIN_EMAIL.test(email);
  return [...(/^\d*$/.test(number) ? [] : (["number"] as const)), ...(isEmailFine ? [] : (["email"] as const))];
}

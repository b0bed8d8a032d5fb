import { randomBytes, randomInt } from "node:crypto";
import type { AccountSecrets, AccountSettings, SecretName } from "../../domain/account.ts";
import { PLATFORM_SECRET_NAMES } from "../../domain/external-secret-name.ts";
import type { FieldError } from "../problem.ts";

/** The secrets that WeChat's console is told, made up where the operator gave none. */
export function generateCallbackSecrets(
  settings: AccountSettings,
  given: AccountSecrets,
): Pick<AccountSecrets, "token" | "encodingAesKey"> {
  return {
    ...(!given.token && { token: generateToken() }),
    ...(!given.encodingAesKey && encrypts(settings) && { encodingAesKey: generateAesKey() }),
  };
}

/** A new value of a secret that we may make up; null for those that the platform or the desk gives out. */
export function generateSecret(name: SecretName): string | null {
  switch (name) {
    case "token":
      return generateToken();
    case "encodingAesKey":
      return generateAesKey();
    case "pushToken":
      return generatePushToken();
    default:
      return null;
  }
}

/** 192 random bits that fit into a path. */
export function generatePushToken(): string {
  return randomBytes(24).toString("base64url");
}

/** What an account with these settings cannot do without, as errors that point at the request's fields. */
export function findMissingSecrets(settings: AccountSettings, isSet: (name: SecretName) => boolean): FieldError[] {
  const needs: [boolean, SecretName, pointer: string, detail: string][] = [
    [true, "deskKey", "#/desk/key", "is needed to sign what is handed to the desk; give the key that the desk's settings show"],
    [
      settings.replies.async,
      "platformSecret",
      `#/wechat/${PLATFORM_SECRET_NAMES[settings.kind]}`,
      "is needed to send asynchronous messages; give it, or set replies.async to false",
    ],
    [
      encrypts(settings),
      "encodingAesKey",
      "#/wechat/encodingAesKey",
      "is needed unless encryption is plain; give the key of WeChat's console",
    ],
  ];
  return needs.flatMap(([isNeeded, name, pointer, detail]) => (isNeeded && !isSet(name) ? { in: "body", pointer, detail } : []));
}

function encrypts(settings: AccountSettings): boolean {
  return settings.kind === "wecom" || settings.wechat.encryption !== "plain";
}

function generateToken(): string {
  return randomAlphanumerics(32);
}

/** 43 characters carry 258 bits, two more than a key has. Strict decoders refuse a key whose two spare bits are set. */
function generateAesKey(): string {
  return randomAlphanumerics(42) + pickFrom(WITHOUT_SPARE_BITS);
}

const WITHOUT_SPARE_BITS = "AEIMQUYcgkosw048";

const ALPHANUMERICS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function randomAlphanumerics(length: number): string {
  return Array.from({ length }, () => pickFrom(ALPHANUMERICS)).join("");
}

function pickFrom(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}

import { type AccountKind, SECRET_NAMES, type SecretName } from "./account.ts";

/**
 * The platform secret's name outside the code, by kind of account: in the API, the command line, account documents, the log, the audit
 * log and the stored rows. A stored row's encryption is bound to its name, so a name cannot change without encrypting anew.
 */
export const PLATFORM_SECRET_NAMES = {
  official_account: "appSecret",
  wecom: "corpSecret",
} as const satisfies Record<AccountKind, string>;

export type PlatformSecretName = (typeof PLATFORM_SECRET_NAMES)[AccountKind];

/** The name of a secret outside the code. */
export type ExternalSecretName = Exclude<SecretName, "platformSecret"> | PlatformSecretName;

const PLATFORM: ReadonlySet<PlatformSecretName> = new Set(Object.values(PLATFORM_SECRET_NAMES));

/** The secrets of all kinds of account, each once. */
export const EXTERNAL_SECRET_NAMES: readonly ExternalSecretName[] = SECRET_NAMES.flatMap((name) =>
  name === "platformSecret" ? [...PLATFORM] : [name],
);

/** The secrets of one kind of account, in the order of SECRET_NAMES. */
export function externalSecretNamesOf(kind: AccountKind): ExternalSecretName[] {
  return SECRET_NAMES.map((name) => toExternalSecretName(name, kind));
}

export function toExternalSecretName(name: SecretName, kind: AccountKind): ExternalSecretName {
  return name === "platformSecret" ? PLATFORM_SECRET_NAMES[kind] : name;
}

export function toSecretName(name: ExternalSecretName): SecretName {
  return isPlatformSecretName(name) ? "platformSecret" : name;
}

function isPlatformSecretName(name: ExternalSecretName): name is PlatformSecretName {
  return (PLATFORM as ReadonlySet<string>).has(name);
}

/** One value that may be proven or proven with. A current value has no end; an old one counts until its overlap is over. */
export interface Credential {
  value: string;
  expiresAt: Date | null;
}

/**
 * The values that count at this moment, in their order. Asked at each check, not when an account is read: what is kept in memory must
 * not outlive its overlap.
 */
export function validAt(credentials: readonly Credential[], now: Date): string[] {
  return credentials.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ value }) => value);
}

/** The value that goes out, and is to be entered elsewhere; null when there is none. */
export function currentOf(credentials: readonly Credential[]): string | null {
  return credentials.find(({ expiresAt }) => expiresAt === null)?.value ?? null;
}

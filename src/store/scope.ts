import type { Scope } from "../domain/api-key.ts";

/** What a column with an account's id must fulfil. */
export function inScope(scope: Scope): { in?: string[] } {
  return scope === null ? {} : { in: [...scope] };
}

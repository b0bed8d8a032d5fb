import type { z } from "zod";
import type { ShownAccount, shownChecks } from "../http/api/schemas/account.ts";
import { toList, toTable } from "./terminal/table.ts";

export function toAccountTable({ items }: { items: ShownAccount[] }): string {
  if (items.length === 0) return "No accounts yet. wxdesk account add makes one.";
  const rows = items.map(({ id, name, kind, enabled, warning, callbackUrl }) => [id, name, kind, enabled, warning?.code, callbackUrl]);
  return toTable(["ID", "NAME", "KIND", "ENABLED", "WARNING", "CALLBACK ADDRESS"], rows);
}

/** Every field with its path in the document; of a secret whether it is set, how it ends, and since when. */
export function toAccountText(account: ShownAccount): string {
  return toList(toEntries(account));
}

function toEntries(value: object, prefix = ""): [name: string, value: unknown][] {
  return Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    const path = prefix + name;
    if (typeof field !== "object" || field === null) return [[path, field]];
    if ("hint" in field && "set" in field) return [[path, field.set ? `set: ${field.hint}` : "not set"]];
    return toEntries(field, `${path}.`);
  });
}

export function toChecksText({ checks }: z.output<typeof shownChecks>): string {
  const rows = checks.map(({ name, ok, ms, sentence }) => [ok ? "ok" : "FAILED", name, `${ms} ms`, sentence]);
  return toTable(["", "CHECK", "TIME", ""], rows);
}

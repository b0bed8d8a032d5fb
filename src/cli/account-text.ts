import { z } from "zod";
import type { ShownAccount } from "../http/api/schemas/account.ts";
import { toList, toTable } from "./terminal/table.ts";

export function toAccountTable({ items }: { items: ShownAccount[] }): string {
  if (items.length === 0) return "No accounts yet. wxdesk account add makes one.";
  const rows = items.map(({ id, name, kind, enabled, warnings, callbackUrl }) => [
    ...[id, name, kind, enabled, warnings.map(({ code }) => code).join(", ") || undefined, callbackUrl],
  ]);
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

/** What the command needs of the answer to an account's test: other gateways may check more, and may say why and what to do. */
export const accountChecks = z.object({
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      pending: z.boolean().default(false),
      ms: z.number(),
      sentence: z.string(),
      why: z.string().nullish(),
      remedy: z.string().nullish(),
    }),
  ),
});

export function toChecksText({ checks }: z.output<typeof accountChecks>): string {
  const rows = checks.map((check) => [toMark(check), check.name, `${check.ms} ms`, check.sentence]);
  // A remedy beside what works is advice.
  const remedies = checks.flatMap(({ name, ok, why, remedy }) =>
    remedy || (!ok && why) ? `\n\n${name}: ${toSentences(why, remedy)}` : [],
  );
  return toTable(["", "CHECK", "TIME", "FOUND"], rows) + remedies.join("");
}

function toMark({ ok, pending, remedy }: z.output<typeof accountChecks>["checks"][number]): string {
  if (!ok) return "FAILED";
  if (pending) return "not yet";
  return remedy ? "warning" : "ok";
}

function toSentences(why: string | null | undefined, remedy: string | null | undefined): string {
  return [why, remedy && `→ ${remedy}`].filter(Boolean).join("\n  ");
}

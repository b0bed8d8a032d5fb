import { z } from "zod";
import { ACCOUNT_ID } from "../../../domain/account.ts";

/** Any moment is shown in ISO 8601, UTC, with milliseconds. */
export const shownMoment = z.string().meta({ format: "date-time", examples: ["2026-01-31T02:03:04.005Z"] });

export function toMoment(date: Date): string;
export function toMoment(date: Date | null): string | null;
export function toMoment(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}

/** A moment of a request. Years outside these have more digits than Postgres takes in ISO 8601. */
export const givenMoment = z.iso
  .datetime({ offset: true, abort: true })
  .refine((text) => text >= "1970-01-02" && text < "9999-12-31", "must lie in the years 1970 to 9999");

export const accountId = z.string().regex(ACCOUNT_ID, "must be 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit");

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50).describe("Items per page."),
  cursor: z.string().min(1).max(500).optional().describe("nextCursor of the page before."),
};

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable().describe("null on the last page.") });
}

export const idParams = z.object({ id: z.string() });

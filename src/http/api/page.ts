import type { Page } from "../../domain/store.ts";
import { Problem } from "../problem.ts";

export function takePage<T>(page: Page<T> | "bad-cursor"): Page<T> {
  if (page !== "bad-cursor") return page;
  throw new Problem("CURSOR_INVALID", "give the nextCursor of the page before as it came, or none for the first page", {
    errors: [{ in: "query", pointer: "#/cursor", detail: "is not a cursor of this list" }],
  });
}

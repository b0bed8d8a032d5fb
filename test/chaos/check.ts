import type { Books, CustomerBook } from "./books.ts";
import { checkInbound } from "./check-inbound.ts";
import { checkOutbound } from "./check-outbound.ts";
import { createFigures, type Finding, type Verdict } from "./verdict.ts";

/** Holds what was promised against what arrived: nothing is lost, nothing is said twice, all in order. Pure. */
export function check(books: Books): Verdict {
  const figures = createFigures();
  const findings = books.customers.flatMap((book) => [
    ...checkInbound(book, books, figures),
    ...checkOutbound(book, books, figures),
    ...checkRest(book),
  ]);
  return { findings, figures };
}

function checkRest({ openId, pending }: CustomerBook): Finding[] {
  const { toDesk, toCustomer, held } = pending;
  if (toDesk + toCustomer + held === 0) return [];
  return [{ kind: "stuck", openId, detail: `${toDesk} to the desk, ${toCustomer} to the customer, ${held} held are still to be done` }];
}

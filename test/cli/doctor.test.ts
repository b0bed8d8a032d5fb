import { expect, test } from "vitest";
import { renderFindings } from "../../src/cli/doctor.ts";
import type { Finding } from "../../src/doctor/finding.ts";

const FINE: Finding = { name: "database", ok: true, what: "PostgreSQL 15 answers", why: "everything is stored there", remedy: null, ms: 3 };
const ODD: Finding = { name: "clock", ok: "warning", what: "40 s behind", why: "old callbacks are refused", remedy: "set it with NTP" };
const BAD: Finding = {
  name: "desk",
  ok: false,
  what: "refused the signature",
  why: "no message arrives",
  remedy: "set the KEY",
  account: "shop",
};

test("what failed says for which account, why it matters and what to do; what is fine takes one line", () => {
  expect(renderFindings([FINE, ODD, BAD])).toBe(`\
         CHECK     ACCOUNT  TIME  FOUND
ok       database  -        3 ms  PostgreSQL 15 answers
warning  clock     -        -     40 s behind
FAILED   desk      shop     -     refused the signature

clock: old callbacks are refused
  → set it with NTP

desk (shop): no message arrives
  → set the KEY

1 failed, 1 to look at, of 3`);
});

test("where nothing is said to matter, the remedy stands alone", () => {
  expect(renderFindings([{ ...BAD, why: "" }])).toContain("desk (shop):\n  → set the KEY");
});

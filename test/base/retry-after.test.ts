import { expect, test } from "vitest";
import { readRetryAfterMs } from "../../src/base/retry-after.ts";

const NOW = new Date("2015-11-24T06:14:51.789Z");

test.each([
  ["4", 4_000],
  ["4 ", 4_000],
  ["\t4", 4_000],
  ["0", 0],
  ["2.5", 2_500],
  ["Tue, 24 Nov 2015 06:15:01 GMT", 9_211],
  [" Tue, 24 Nov 2015 06:15:01 GMT ", 9_211],
  ["Tuesday, 24-Nov-15 06:15:01 GMT", 9_211],
  ["Tue Nov 24 06:15:01 2015", 9_211],
  ["Tue, 24 Nov 2015 14:15:01 +0800", 9_211],
  ["Tue, 24 Nov 2015 06:00:00 GMT", 0],
  ["9".repeat(400), 3_600_000],
  ["Fri, 31 Dec 9999 23:59:59 GMT", 3_600_000],
])("Retry-After %j is a pause of %i ms", (header, pauseMs) => {
  expect(readRetryAfterMs(header, NOW)).toBe(pauseMs);
});

test.each(["", " ", "soon", "-5", "1e3", "Infinity", "NaN", "4, 5", "0x10", "Tue, 45 Nov 2015 06:15:01 GMT"])(
  "Retry-After %j asks for no pause of its own",
  (header) => {
    expect(readRetryAfterMs(header, NOW)).toBeNull();
  },
);

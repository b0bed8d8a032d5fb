import { expect, test } from "vitest";
import { toChecksText } from "../../src/cli/account-text.ts";

const DESK = { name: "desk", ok: true, pending: false, ms: 23, sentence: "The desk answered." };

test("a check that failed says why that matters and what to do, as far as the gateway knows it", () => {
  const token = {
    name: "accessToken",
    ok: false,
    pending: false,
    ms: 15,
    sentence: "errcode 40164",
    why: "nothing can be sent",
    remedy: "add the address",
  };
  expect(toChecksText({ checks: [DESK, token] })).toBe(`\
        CHECK        TIME   FOUND
ok      desk         23 ms  The desk answered.
FAILED  accessToken  15 ms  errcode 40164

accessToken: nothing can be sent
  → add the address`);
});

test("where the gateway says nothing more, nothing more is printed", () => {
  expect(toChecksText({ checks: [{ ...DESK, ok: false }] })).toBe("        CHECK  TIME   FOUND\nFAILED  desk   23 ms  The desk answered.");
});

test("advice beside a check that passed is a warning with what to do", () => {
  const publicUrl = { ...DESK, name: "publicUrl", sentence: "without TLS", why: "others can read along", remedy: "use https" };
  expect(toChecksText({ checks: [publicUrl] })).toMatch(/^warning +publicUrl [\s\S]*publicUrl: others can read along\n {2}→ use https$/m);
});

test("a step that is only not done yet is no failure, and says what comes next", () => {
  const reach = { ...DESK, name: "reachableByWechat", pending: true, sentence: "no server address is entered", remedy: "enter it" };
  expect(toChecksText({ checks: [reach] })).toMatch(/^not yet +reachableByWechat [\s\S]*reachableByWechat: → enter it$/m);
});

import { describe, expect, test } from "vitest";
import { ERRCODES, TOKEN_ERRCODES } from "../../../src/channels/official-account/errcodes.ts";
import { isTokenRefused, toOutcome } from "../../../src/channels/official-account/outcome.ts";
import { explain } from "../../../src/platform/errcodes.ts";
import { describeDictionary } from "../dictionary.ts";

describeDictionary("Official Accounts", ERRCODES, toOutcome);

describe("what an Official Account's code asks for", () => {
  // wechat.md §9; A: a new token, B: later, C: never, D: the operator, E: the contact's next message.
  test.each([
    ["retry", "-1 40001 40014 42001 41001 40013 40125 40164 40243 45009 45011 48004 50002 61004 89501 89503 89506 89507"],
    ["rejected", "40003 40007 40033 44004 47001 43004 43019 50005 48002 40200"],
    ["hold", "45015 45047 48001"],
  ])("%s: %s", (kind, codes) => {
    for (const errcode of codes.split(" ")) expect(toOutcome(errcode, "")).toMatchObject({ kind, code: errcode });
  });

  test("only a refused token is a reason for a new one", () => {
    const codes = ["40001", "40014", "42001", "41001", "40125", "45015", "0", "99999"];
    expect(codes.filter(isTokenRefused)).toEqual(["40001", "40014", "42001"]);
  });

  test("when a token is asked for, 40001 speaks of the secret", () => {
    expect(TOKEN_ERRCODES.get("40001")?.meaning).toBe("the appSecret is wrong");
    expect(ERRCODES.get("40001")?.meaning).toBe("the access token is not valid");
  });

  test("a busy platform is tried three times, a frequency limit after a minute", () => {
    expect(toOutcome("-1", "system error")).toMatchObject({ triesMax: 3 });
    expect(toOutcome("45011", "")).toMatchObject({ retryAfterMs: 60_000 });
  });
});

test("the address that is not on the list is named in the remedy", () => {
  const errmsg = "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 658cff8e-7783352d-44cb33e5";
  expect(explain(ERRCODES, "40164", errmsg)).toContain("add 203.0.113.7 to the IP allow-list");
  expect(explain(ERRCODES, "40164", "not in whitelist")).toContain("add this machine's public address to the IP allow-list");
});

import { describe, expect, test } from "vitest";
import { ERRCODES } from "../../../src/channels/wecom/errcodes.ts";
import { isTokenRefused, toOutcome } from "../../../src/channels/wecom/outcome.ts";
import { explain } from "../../../src/platform/errcodes.ts";
import { describeDictionary } from "../dictionary.ts";

describeDictionary("WeCom", ERRCODES, toOutcome);

describe("what a WeCom code asks for", () => {
  test.each([
    ["retry", "-1 40001 40013 40014 42001 41001 60020 301042 60011 45009 45033 48002 50003 40056 301002 40091"],
    ["rejected", "40003 60111 46004 40007 40058 40063 44004 82001 81013 95013 95016 95017 95018"],
    ["hold", "95001 95002"],
  ])("%s: %s", (kind, codes) => {
    for (const errcode of codes.split(" ")) expect(toOutcome(errcode, "")).toMatchObject({ kind, code: errcode });
  });

  test("only a refused token is a reason for a new one, and 40001 is the secret here", () => {
    const codes = ["40001", "40014", "42001", "41001", "95001", "0", "99999"];
    expect(codes.filter(isTokenRefused)).toEqual(["40014", "42001"]);
    expect(ERRCODES.get("40001")?.meaning).toBe("the corpSecret is wrong");
  });

  test("a busy platform is tried three times, a frequency limit after a minute", () => {
    expect(toOutcome("-1", "system busy")).toMatchObject({ triesMax: 3 });
    expect(toOutcome("45009", "")).toMatchObject({ retryAfterMs: 60_000 });
  });
});

test("the address that is not trusted is named in the remedy", () => {
  const more = "more info at https://open.work.weixin.qq.com/devtool/query?e=60020";
  const errmsg = `not allow to access from your ip, hint: [1706848717432011565347844], from ip: 203.0.113.7, ${more}`;
  expect(explain(ERRCODES, "60020", errmsg)).toContain("add 203.0.113.7 to the trusted IPs");
});

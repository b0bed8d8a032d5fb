import { expect, test } from "vitest";
import { isTokenRefused, meaningOf, toOutcome } from "../../../src/channels/wecom/outcome.ts";

test.each<[string, string]>([
  ["-1", "retry"],
  ["40001", "retry"],
  ["40013", "retry"],
  ["40014", "retry"],
  ["42001", "retry"],
  ["41001", "retry"],
  ["40003", "rejected"],
  ["60111", "rejected"],
  ["46004", "rejected"],
  ["40007", "rejected"],
  ["60020", "retry"],
  ["301042", "retry"],
  ["40058", "rejected"],
  ["40063", "rejected"],
  ["44004", "rejected"],
  ["82001", "rejected"],
  ["81013", "rejected"],
  ["60011", "retry"],
  ["45002", "rejected"],
  ["45009", "retry"],
  ["45033", "retry"],
  ["48002", "retry"],
  ["50003", "retry"],
  ["40056", "retry"],
  ["301002", "retry"],
  ["95001", "hold"],
  ["95002", "hold"],
  ["95013", "rejected"],
  ["95016", "rejected"],
  ["95017", "rejected"],
  ["95018", "rejected"],
])("errcode %s is %s, and says what it means and what to do", (errcode, kind) => {
  const meaning = meaningOf(errcode);
  expect(meaning).toMatch(/.+; .+/);
  expect(toOutcome(errcode, "")).toMatchObject({ kind, code: errcode, detail: `errcode ${errcode}: ${meaning}` });
});

test("only a refused token is a reason for a new one, and 40001 is the secret here", () => {
  const codes = ["40001", "40014", "42001", "41001", "95001", "0", "99999"];
  expect(codes.filter(isTokenRefused)).toEqual(["40014", "42001"]);
});

test("a busy platform is tried three times, a frequency limit after a minute", () => {
  expect(toOutcome("-1", "system busy")).toMatchObject({ triesMax: 3 });
  expect(toOutcome("45009", "")).toMatchObject({ retryAfterMs: 60_000 });
});

test("an unknown code is rejected and has no meaning of ours", () => {
  expect(toOutcome("99999", "odd")).toEqual({ kind: "rejected", code: "99999", detail: expect.stringContaining("(odd)") });
  expect(meaningOf("99999")).toBeNull();
});

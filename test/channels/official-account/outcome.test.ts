import { expect, test } from "vitest";
import { isTokenRefused, meaningOf, toOutcome } from "../../../src/channels/official-account/outcome.ts";

test.each<[string, string]>([
  ["-1", "retry"],
  ["40001", "retry"],
  ["40014", "retry"],
  ["42001", "retry"],
  ["41001", "retry"],
  ["40003", "rejected"],
  ["40007", "rejected"],
  ["40013", "retry"],
  ["40125", "retry"],
  ["40164", "retry"],
  ["40033", "rejected"],
  ["44004", "rejected"],
  ["47001", "rejected"],
  ["43004", "rejected"],
  ["43019", "rejected"],
  ["50005", "rejected"],
  ["48002", "rejected"],
  ["45002", "rejected"],
  ["45009", "retry"],
  ["45011", "retry"],
  ["45015", "hold"],
  ["45047", "hold"],
  ["48001", "hold"],
  ["48004", "retry"],
  ["50002", "retry"],
  ["40200", "rejected"],
])("errcode %s is %s, and says what it means and what to do", (errcode, kind) => {
  const meaning = meaningOf(errcode);
  expect(meaning).toMatch(/.+; .+/);
  expect(toOutcome(errcode, "")).toMatchObject({ kind, code: errcode, detail: `errcode ${errcode}: ${meaning}` });
});

test("only a refused token is a reason for a new one", () => {
  const codes = ["40001", "40014", "42001", "41001", "40125", "45015", "0", "99999"];
  expect(codes.filter(isTokenRefused)).toEqual(["40001", "40014", "42001"]);
});

test("a busy platform is tried three times, a frequency limit after a minute", () => {
  expect(toOutcome("-1", "system error")).toMatchObject({ triesMax: 3 });
  expect(toOutcome("45011", "")).toMatchObject({ retryAfterMs: 60_000 });
});

test("0 is done", () => {
  expect(toOutcome("0", "ok")).toEqual({ kind: "done" });
});

test("an unknown code is rejected and has no meaning of ours", () => {
  expect(toOutcome("99999", "odd")).toEqual({ kind: "rejected", code: "99999", detail: expect.stringContaining("(odd)") });
  expect(meaningOf("99999")).toBeNull();
  expect(meaningOf("constructor")).toBeNull();
});

test("a long errmsg does not flood the detail", () => {
  expect(toOutcome("99999", "x".repeat(10_000))).toHaveProperty(
    "detail.length",
    expect.toSatisfy((length: number) => length < 400),
  );
});

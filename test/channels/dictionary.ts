import { describe, expect, test } from "vitest";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { Errcodes } from "../../src/platform/errcodes.ts";

/** What every dictionary of a platform's codes owes. */
export function describeDictionary(platform: string, errcodes: Errcodes, toOutcome: (errcode: string, errmsg: string) => Outcome): void {
  describe(`the codes of ${platform}`, () => {
    test.each([...errcodes])("%s says what it means and what to do, as parts of one line", (errcode, { meaning, remedy }) => {
      for (const part of [meaning, remedy]) expect(part).toMatch(/^\S.{5,}[^.;\s]$/);
      expect(remedy).not.toMatch(/\{(?!address\})/);
      const detail = `errcode ${errcode}: ${meaning}; ${remedy.replace("{address}", "this machine's public address")}`;
      expect(toOutcome(errcode, "")).toMatchObject({ detail });
    });

    test("stand in ascending order, so that one is found", () => {
      const codes = [...errcodes.keys()].map(Number);
      expect(codes).toEqual([...codes].sort((a, b) => a - b));
    });

    test("0 is done", () => {
      expect(toOutcome("0", "ok")).toEqual({ kind: "done" });
    });

    test("an unknown one is rejected, with the platform's own words and where to look", () => {
      const detail = "errcode 99999: unknown to this gateway; look it up in the platform's list of return codes (odd)";
      expect(toOutcome("99999", "odd")).toEqual({ kind: "rejected", code: "99999", detail });
      expect(toOutcome("constructor", "")).toMatchObject({ kind: "rejected" });
    });

    test("a long errmsg does not flood the detail", () => {
      const outcome = toOutcome("99999", "x".repeat(10_000));
      expect("detail" in outcome && outcome.detail?.length).toBeLessThan(400);
    });
  });
}

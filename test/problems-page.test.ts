import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../src/base/errors.ts";
import { PROBLEMS } from "../src/http/problem.ts";

const page = readFileSync("docs/problems.md", "utf8");

/** The codes in the first column of the tables under one heading, with the rest of their line. */
function rowsUnder(heading: string): Map<string, string> {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const rows = section.split("\n## ")[0]?.matchAll(/^\| (`[^|]+`) +\|(.*)$/gm) ?? [];
  return new Map(
    [...rows].flatMap(([, codes = "", rest = ""]) => [...codes.matchAll(/`(\w+)(?:_<\w+>)?`/g)].map(([, code = ""]) => [code, rest])),
  );
}

test("the page has each code of the API with its status, and none besides", () => {
  const rows = rowsUnder("Answers of the API");
  expect([...rows].map(([code, rest]) => [code, Number(rest.split("|")[0])])).toEqual(
    Object.entries(PROBLEMS).map(([code, { status }]) => [code, status]),
  );
});

test("the page has each code of an exception, and none besides", () => {
  expect([...rowsUnder("Starts, callbacks and pushes").keys()].sort()).toEqual([...ERROR_CODES].sort());
});

test("the page has each code of ours that an attempt can carry", () => {
  const rows = rowsUnder("Messages and their attempts");
  const sources = ["src/flow", "src/media", "src/platform", "src/channels", "src/desks", "src/delivery", "src/domain"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(`${folder}/${name}`, "utf8")),
  );
  const codes = new Set(
    sources.flatMap((source) => [...source.matchAll(/(?:code: |\| )"([A-Z]+_[A-Z_]+)"/g)].map(([, code = ""]) => code)),
  );
  expect(codes).toContain("SENDER_LOST");
  expect(codes).toContain("MEDIA_TOO_LARGE");
  expect([...codes].filter((code) => !rows.has(code) && !page.includes(`\`${code}\``))).toEqual([]);
});

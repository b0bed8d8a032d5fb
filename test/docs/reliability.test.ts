import { existsSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { expect, test } from "vitest";

interface Promised {
  number: string;
  heldBy: string;
  tests: string;
}

const page = readFileSync("docs/reliability.md", "utf8");
const table = page.split("## The promises")[1]?.split("\n## ")[0] ?? "";
const promises = table.split("\n").flatMap((line): Promised | [] => {
  const [, number = "", , heldBy = "", tests = ""] = line.split("|").map((cell) => cell.trim());
  return /^\d/.test(number) ? { number, heldBy, tests } : [];
});

interface Cited {
  number: string;
  file: string;
  /** "all", or names in quotes. */
  which: string;
}

/** `` `file` "name", "name"; `file` all ``, with an **S** or **B** where the tests need a server. */
function toCited({ number, tests }: Promised): Cited[] {
  return tests.split(/; (?=`)/).map((part) => {
    const [, file = part, which = ""] = part.match(/^`([^`]+)`(?: \*\*[SB]\*\*)? (.+)$/) ?? [];
    return { number, file: `test/${file}`, which };
  });
}

const cited = promises.flatMap(toCited);

function toNames({ which }: Cited): string[] {
  return [...which.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
}

/** The titles of a file's tests and groups: a title is the first argument of a call, and another argument follows. */
function toTitles(file: string): string[] {
  const calls = readFileSync(file, "utf8").matchAll(/\(\s*("(?:[^"\\\n]|\\.)+"),/g);
  return [...calls].map(([, title = ""]) => JSON.parse(title));
}

test("every promise names the code that holds it, in files that are there", () => {
  const files = promises.map(({ number, heldBy }) => ({
    number,
    paths: [...heldBy.matchAll(/\]\((\.\.\/src\/[^)]+)\)/g)].map(([, path = ""]) => normalize(join("docs", path))),
  }));
  expect(promises.length).toBeGreaterThan(45);
  expect(files.filter(({ paths }) => paths.length === 0)).toEqual([]);
  expect(files.filter(({ paths }) => !paths.every(existsSync))).toEqual([]);
});

test("every promise names its tests: all of a file, or by names that are the names of tests in it", () => {
  expect(cited.filter(({ file }) => !existsSync(file))).toEqual([]);
  const unknown = cited.flatMap((each) => {
    const titles = toTitles(each.file);
    return toNames(each).flatMap((name) => (titles.includes(name) ? [] : `${each.number}: ${each.file} has no test "${name}"`));
  });
  expect(unknown).toEqual([]);
  expect(cited.filter((each) => each.which !== "all" && toNames(each).length === 0)).toEqual([]);
  expect(cited.flatMap(toNames).length).toBeGreaterThan(80);
});

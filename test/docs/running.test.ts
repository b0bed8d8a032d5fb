import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FILE_SETTINGS, settingsSchema } from "../../src/config.ts";

const page = readFileSync("docs/running.md", "utf8");

interface Row {
  name: string;
  isFile: boolean;
  default: string;
  meaning: string;
}

function toRow(line: string): Row | [] {
  const [, name = "", preset = "", meaning = ""] = line.split("|").map((cell) => cell.trim());
  const setting = name.match(/^`(\w+)`( †)?$/);
  return setting === null ? [] : { name: setting[1] ?? "", isFile: setting[2] !== undefined, default: preset.replaceAll("`", ""), meaning };
}

const section = page.split("## Settings")[1]?.split("\n## ")[0] ?? "";
const rows = section.split("\n").flatMap(toRow);

test("docs/running.md lists every setting, once, with a meaning", () => {
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(settingsSchema.shape).sort());
  expect(rows.filter(({ meaning }) => meaning === "")).toEqual([]);
});

test("docs/running.md marks the settings that can be given as a file", () => {
  expect(rows.flatMap(({ name, isFile }) => (isFile ? name : [])).sort()).toEqual([...FILE_SETTINGS].sort());
});

test("docs/running.md shows the default of every setting that has one", () => {
  const defaults = Object.entries(settingsSchema.shape).flatMap(([name, schema]) => {
    const preset = "defaultValue" in schema.def ? String(schema.def.defaultValue) : "";
    return preset === "" ? [] : [[name, preset]];
  });
  expect(defaults.length).toBeGreaterThan(8);
  expect(Object.fromEntries(rows.map((row) => [row.name, row.default]))).toMatchObject(Object.fromEntries(defaults));
});

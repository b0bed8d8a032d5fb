import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const BENCH = new URL("../../bench/", import.meta.url);
const SRC = new URL("../../src/", import.meta.url);
const LOADED = /fromDist<typeof import\("\.\.\/\.\.\/src\/([^"]+)\.ts"\)>\(\s*"([^"]+)\.js",?\s*\)/g;

test("each module of the build that a benchmark loads is that of its types", () => {
  const files = readdirSync(fileURLToPath(BENCH), { recursive: true, encoding: "utf8" });
  const sources = files.filter((name) => name.endsWith(".ts") && !name.startsWith("node_modules"));
  const loaded = sources.flatMap((name) => [...readFileSync(new URL(name, BENCH), "utf8").matchAll(LOADED)]);
  expect(loaded.map(([, , built]) => built)).toContain("domain/ids");
  expect(loaded.map(([, , built]) => built)).toEqual(loaded.map(([, typed]) => typed));
  expect(loaded.filter(([, typed]) => !existsSync(new URL(`${typed}.ts`, SRC)))).toEqual([]);
});

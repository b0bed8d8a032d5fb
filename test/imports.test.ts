import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** `import … from "./a.ts"`, `export … from`, `import "./a.ts"` and `import("./a.ts")`, of types or values. */
const RELATIVE_IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]+)"/g;

test("no files of src, test and bench import each other in a circle, types included", async () => {
  const imports = await readImports(ROOT, ["src", "test", "bench"]);
  for (const file of ["src/server.ts", "test/imports.test.ts", "bench/bench.ts"]) expect(imports.has(file)).toBe(true);
  expect([...imports.values()].flat().length).toBeGreaterThan(imports.size);
  expect(findCircles(imports)).toEqual([]);
});

test("a circle of three files is named by its path, with a type, an export and an import that is made late", async () => {
  const root = await writeFiles({
    "a/start.ts": 'import { a } from "./a.ts";\n',
    "a/a.ts": 'import type { B } from "../b/b.ts";\n',
    "b/b.ts": 'export {\n  c,\n} from "./c.ts";\nexport * from "./leaf.ts";\n',
    "b/c.ts": 'const late = await import("../a/a.ts");\n',
    "b/leaf.ts": 'import "node:fs";\n',
  });
  expect(findCircles(await readImports(root, ["a", "b"]))).toEqual(["a/a.ts → b/b.ts → b/c.ts → a/a.ts"]);
});

test("two ways to one file are no circle", async () => {
  const root = await writeFiles({
    "a/a.ts": 'import "../b/b.ts";\nimport "../b/c.ts";\n',
    "b/b.ts": 'import "./d.ts";\n',
    "b/c.ts": 'import "./d.ts";\n',
    "b/d.ts": "export const d = 1;\n",
  });
  expect(findCircles(await readImports(root, ["a", "b"]))).toEqual([]);
});

type Imports = ReadonlyMap<string, readonly string[]>;

/** Maps each file of the folders, by its path from the root, to the files among them that it imports. Prisma's client is generated. */
async function readImports(root: string, folders: readonly string[]): Promise<Imports> {
  const listed = folders.map(async (folder) => (await readdir(join(root, folder), { recursive: true })).map((path) => join(folder, path)));
  const files = (await Promise.all(listed)).flat().filter((path) => path.endsWith(".ts") && !path.startsWith("src/generated/"));
  const known = new Set(files);
  const read = async (file: string) => {
    const text = await readFile(join(root, file), "utf8");
    const targets = [...text.matchAll(RELATIVE_IMPORT)].map(([, path = ""]) => join(dirname(file), path));
    return [file, targets.filter((target) => known.has(target))] as const;
  };
  return new Map(await Promise.all(files.sort().map(read)));
}

/** Depth first: an import that leads back to a file on the way closes a circle. Circles that share files may be named by one path only. */
function findCircles(imports: Imports): string[] {
  const circles: string[] = [];
  const left = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(" → "));
    if (way.includes(file) || left.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...way, file]);
    left.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return circles;
}

async function writeFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "wxdesk-imports-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

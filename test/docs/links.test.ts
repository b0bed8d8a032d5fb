import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const ROOTS = ["docs", "src", "test", "bench", "prisma"];
const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...ROOTS.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path))),
].filter((path) => path.endsWith(".md") && !path.includes("node_modules"));

/** The anchors that GitHub gives to the headings of a page. */
function toAnchors(markdown: string): string[] {
  const headings = [...withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function toLinks(markdown: string): string[] {
  const prose = withoutBlocks(markdown).replace(/`[^`\n]*\]\([^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link).filter((link) => !/^(https?|mailto):/.test(link));
}

function withoutBlocks(markdown: string): string {
  return markdown.replace(/^```.*?^```/gms, "");
}

function isBroken(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : normalize(join(dirname(page), path));
  if (!existsSync(target)) return true;
  return anchor !== undefined && !(statSync(target).isFile() && toAnchors(readFileSync(target, "utf8")).includes(anchor));
}

test("every link of the documents leads to a file that is there, and to a heading that is in it", () => {
  const links = PAGES.flatMap((page) => toLinks(readFileSync(page, "utf8")).map((link) => ({ page, link })));
  expect(links.length).toBeGreaterThan(200);
  expect(links.filter(({ page, link }) => isBroken(page, link))).toEqual([]);
});

import { readFile } from "node:fs/promises";
import { withoutBom } from "../lib/without-bom.ts";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal/terminal.ts";

/**
 * A value from a file, or with `-` from standard input, without its final line break. That is how secrets come in: what stands on
 * a command line is in the shell's history and in every process list.
 * @throws UsageError when the file cannot be read
 */
export async function readValue(path: string, terminal: Pick<Terminal, "readInput">): Promise<string> {
  const text = path === "-" ? await terminal.readInput() : await readFile(path, "utf8").catch(fail(path));
  return withoutBom(text).replace(/\r?\n$/, "");
}

/** @throws UsageError also when it is no JSON object */
export async function readDocument(path: string, terminal: Pick<Terminal, "readInput">): Promise<Record<string, unknown>> {
  const text = await readValue(path, terminal);
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === "object" && document !== null && !Array.isArray(document)) return { ...document };
  } catch {
    // Said below: the parser's own words quote the text, which may hold secrets.
  }
  throw new UsageError(`${path === "-" ? "standard input" : path} does not hold one JSON object`);
}

function fail(path: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && "code" in error ? error.code : "unknown";
    throw new UsageError(`${path} cannot be read (${code}); check path and permissions`);
  };
}

import { readFile } from "node:fs/promises";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { withoutBom } from "../base/without-bom.ts";
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

/** @throws UsageError also when it is no JSON object, with line and column */
export async function readDocument(path: string, terminal: Pick<Terminal, "readInput">): Promise<Record<string, unknown>> {
  const text = await readValue(path, terminal);
  const where = path === "-" ? "standard input" : path;
  const errors: ParseError[] = [];
  const document: unknown = parse(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first !== undefined) throw new UsageError(`${where} does not hold JSON: ${toPlace(text, first.offset)}, ${toReason(first)}`);
  if (typeof document === "object" && document !== null && !Array.isArray(document)) return { ...document };
  const found = Array.isArray(document)
    ? "a list"
    : document === null
      ? "null"
      : typeof document === "string"
        ? "a text"
        : `a ${typeof document}`;
  throw new UsageError(`${where} holds ${found}, not one JSON object; put the account's fields between { and }`);
}

function toPlace(text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}

const REASONS: Readonly<Record<string, string>> = {
  CommaExpected: "a comma is missing",
  ColonExpected: "a colon is missing",
  PropertyNameExpected: 'a name in "…" is missing (no comma before }, no comments)',
  ValueExpected: "a value is missing",
  CloseBraceExpected: "a } is missing",
  CloseBracketExpected: "a ] is missing",
  UnexpectedEndOfString: 'a text in "…" does not end in its line',
  InvalidEscapeCharacter: "a \\ in a text must be doubled",
  InvalidCommentToken: "comments are not allowed",
};

/** Words of ours: the text itself may hold secrets, and is not quoted. */
function toReason({ error }: ParseError): string {
  return REASONS[printParseErrorCode(error)] ?? 'names and texts stand in "…"';
}

function fail(path: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && "code" in error ? error.code : "unknown";
    throw new UsageError(`${path} cannot be read (${code}); check path and permissions`);
  };
}

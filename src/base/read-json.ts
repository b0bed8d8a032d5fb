import type { HttpAnswer } from "./http-client.ts";

/**
 * The JSON value of an answer, read as leniently as its meaning allows: a byte order mark, raw control characters in strings (which
 * JSON forbids), and any bytes after the value do not matter. Never throws; undefined when there is no JSON.
 */
export function readJson(answer: Pick<HttpAnswer, "headers" | "body">): unknown {
  const text = decodeText(answer);
  // A raw control character is either white space between values already, or inside a string, where a blank stands for it.
  const repaired = text.replace(CONTROL, " ");
  return parse(text) ?? parse(repaired) ?? parse(repaired.slice(0, findEnd(repaired)));
}

/**
 * The body as text. Valid UTF-8 is read as UTF-8 even when the header names another charset. Other bytes go by a byte order mark or the
 * header's charset, and the unreadable rest becomes U+FFFD.
 */
export function decodeText({ headers, body }: Pick<HttpAnswer, "headers" | "body">): string {
  const start = body.toString("latin1", 0, 2);
  if (start === "\xff\xfe") return decode(body, "utf-16le") ?? "";
  if (start === "\xfe\xff") return decode(body, "utf-16be") ?? "";
  const declared = /charset\s*=\s*["']?([\w.:-]+)/i.exec(headers["content-type"] ?? "")?.[1];
  return decode(body, "utf-8", true) ?? decode(body, declared ?? "utf-8") ?? body.toString("utf8");
}

/** Null when the charset is unknown, or `fatal` is set and the bytes are not in it. */
function decode(bytes: Buffer, charset: string, fatal = false): string | null {
  try {
    return new TextDecoder(charset, { fatal }).decode(bytes);
  } catch {
    return null;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f]/g;

/** Where the first object ends; 0 when none does. A brace in a string counts for nothing. One pass: the text may be a megabyte of quotes. */
function findEnd(text: string): number {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isInString && character === "\\") at += 1;
    else if (character === '"') isInString = !isInString;
    else if (!isInString && character === "{") depth += 1;
    else if (!isInString && character === "}") {
      depth -= 1;
      if (depth <= 0) return at + 1;
    }
  }
  return 0;
}

import { DecodeError } from "../../base/errors.ts";

/**
 * JSON whose numbers arrive as strings where JSON.parse would not give back what was written: a 64-bit message id would be rounded,
 * and two messages with the same rounded id be taken for one; a price of 12.50 would lose its last digit.
 * @throws DecodeError JSON_INVALID
 */
export function parseJson(text: string): unknown {
  try {
    JSON.parse(text);
  } catch {
    // No cause: the parser's message quotes the body.
    throw new DecodeError("JSON_INVALID", "body is not valid JSON");
  }
  // In valid JSON every string ends, so this pattern reads each character once.
  return JSON.parse(text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g, quoteIfChanged));
}

function quoteIfChanged(token: string): string {
  return token.startsWith('"') || String(Number(token)) === token ? token : `"${token}"`;
}

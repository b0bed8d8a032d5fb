import { DecodeError } from "../../domain/errors.ts";

/**
 * JSON whose long integers arrive as strings with all their digits: a 64-bit message id would be rounded by JSON.parse, and two
 * messages with the same rounded id would be taken for one.
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
  return JSON.parse(text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g, quoteLongInteger));
}

function quoteLongInteger(token: string): string {
  const isRounded = /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));
  return isRounded ? `"${token}"` : token;
}

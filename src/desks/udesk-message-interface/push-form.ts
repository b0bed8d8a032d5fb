import qs from "qs";
import { DecodeError } from "../../base/errors.ts";
import { contentSchemas } from "./customer-service-content.ts";
import { unescapeForm } from "./form-escapes.ts";
import { createListNumbering } from "./form-lists.ts";
import { type Decode, notDecodable } from "./push-charset.ts";
import { parseJson } from "./push-json.ts";

const FIELDS_MAX = 5_000;
const LIST_LENGTH_MAX = 200;
const DEPTH_MAX = 8;

/**
 * A form with nested brackets as the object it stands for: `text[content]=hi` is `{ text: { content: "hi" } }`. Bytes are read after
 * they are unescaped: in GBK half of a character may be escaped, and the other half a letter. A value that is JSON stands for what it
 * says. Fields in each other's way make lists, which no reader takes for words.
 * @throws DecodeError
 */
export function parseForm(body: Buffer, decode: Decode): Record<string, unknown> {
  const text = withoutBlanks(body.toString("latin1"));
  refuseTooMany(text);
  const toNumbered = createListNumbering(DEPTH_MAX);
  try {
    const form = qs.parse(withPlainValues(text), {
      decoder: (escaped: string, _default: unknown, _charset: string, type: "key" | "value") => {
        const decoded = fromEscaped(escaped, decode);
        return type === "key" ? toNumbered(decoded) : decoded;
      },
      plainObjects: true,
      depth: DEPTH_MAX,
      strictDepth: true,
      arrayLimit: LIST_LENGTH_MAX,
      parameterLimit: FIELDS_MAX,
      throwOnLimitExceeded: true,
    });
    return withJson(form);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // qs throws the same class for both, and gives it no code.
    throw /depth/.test(error.message)
      ? overLimit(`brackets deeper than ${DEPTH_MAX}`)
      : overLimit(`a list of more than ${LIST_LENGTH_MAX}`);
  }
}

function overLimit(passed: string): DecodeError {
  return new DecodeError("MESSAGE_INVALID", `form has ${passed}; send less at once, or JSON`);
}

/** Counted before anything else is done with them. */
function refuseTooMany(text: string): void {
  let fields = 1;
  for (let at = text.indexOf("&"); at !== -1; at = text.indexOf("&", at + 1)) fields += 1;
  if (fields > FIELDS_MAX) throw overLimit(`${fields} fields, more than ${FIELDS_MAX}`);
}

/** The blanks of ASCII only: in latin1 the last byte of a character, A0, is a blank that must not break. */
function withoutBlanks(text: string): string {
  return text.replace(/^[\t-\r ]+/, "").replace(/(?<![\t-\r ])[\t-\r ]+$/, "");
}

/** qs takes a "]=" in a value for the end of its name. Splitting is six times as fast as replacing. */
function withPlainValues(text: string): string {
  return text.replace(/=[^&]*/g, (value) => `=${value.slice(1).split("=").join("%3D")}`);
}

function fromEscaped(escaped: string, decode: Decode): string {
  const text = decode(unescapeForm(Buffer.from(escaped, "latin1")));
  if (text === null) throw notDecodable("form");
  return text;
}

const NESTED_NAMES = [...contentSchemas.keys(), "messages"];

/** `messages=[{…}]`: some libraries write nested values as JSON. A value that is not JSON stays a text. */
function withJson(form: Record<string, unknown>): Record<string, unknown> {
  for (const name of NESTED_NAMES) {
    const value = form[name];
    if (typeof value !== "string" || !/^\s*[{[]/.test(value)) continue;
    try {
      form[name] = parseJson(value);
    } catch {
      // A text that begins with a bracket.
    }
  }
  return form;
}

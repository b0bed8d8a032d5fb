import qs from "qs";
import { DecodeError } from "../../domain/errors.ts";
import { contentSchemas } from "./customer-service-content.ts";
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
  const toNumbered = createListNumbering(DEPTH_MAX);
  // qs takes the last "]=" of a pair for the end of its name.
  const text = body
    .toString("latin1")
    .trim()
    .replace(/=[^&]*/g, (value) => `=${value.slice(1).replaceAll("=", "%3D")}`);
  try {
    const form = qs.parse(text, {
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
    const limits = `${FIELDS_MAX} fields, lists of more than ${LIST_LENGTH_MAX} or brackets deeper than ${DEPTH_MAX}`;
    throw new DecodeError("MESSAGE_INVALID", `form has more than ${limits}; send less at once, or JSON`);
  }
}

function fromEscaped(escaped: string, decode: Decode): string {
  const bytes = escaped.replaceAll("+", " ").replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = decode(Buffer.from(bytes, "latin1"));
  if (text === null) throw notDecodable("form");
  return text;
}

const NESTED_NAMES = [...contentSchemas.keys(), "messages"];

/** `messages=[{…}]`: some libraries write what is nested as JSON. What is not JSON stays a text. */
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

import { DecodeError } from "../base/errors.ts";
import { toSendableText } from "../domain/sendable-text.ts";

const PREDEFINED_ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

const CODE_POINT_MAX = 0x10ffff;

/** `text` without the characters that XML cannot say. */
export const toLegalXml = toSendableText;

/** The characters of a body, without a byte order mark and without those that XML cannot say. */
export function toDocument(bytes: Buffer | string): string {
  const text = toLegalXml(bytes.toString());
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/**
 * Text outside CDATA as it was meant: the five predefined entities and character references decoded, once. A reference to a character
 * that XML forbids, or to none at all, says nothing and is dropped like the character itself.
 * @throws DecodeError XML_INVALID on any other reference, because there is no DTD that could declare it
 */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  const decoded = text.replace(/&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(\w+));|&/g, (_reference, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return fromCodePoint(Number.parseInt(decimal, 10));
    return PREDEFINED_ENTITIES.get(name ?? "") ?? refuse("an undeclared entity");
  });
  return toLegalXml(decoded);
}

function fromCodePoint(codePoint: number): string {
  return codePoint > CODE_POINT_MAX ? "" : String.fromCodePoint(codePoint);
}

function refuse(reason: string): never {
  throw invalidXml(`it has ${reason}`);
}

/** What is thrown for any body that is no XML we take. `reason` never quotes the body, which is a customer's. */
export function invalidXml(reason: string): DecodeError {
  return new DecodeError("XML_INVALID", `the body cannot be read as XML: ${reason}`);
}

import { DecodeError } from "../../base/errors.ts";
import type { Account } from "../../domain/account.ts";
import type { PushRequest } from "../../domain/desk.ts";
import { notDecodable, toDecode } from "./push-charset.ts";
import { parseForm } from "./push-form.ts";
import { parseJson } from "./push-json.ts";
import { parseXmlPush } from "./push-xml.ts";

export interface ParsedPush {
  form: "JSON" | "form" | "XML";
  fields: unknown;
}

/**
 * The body as the fields it holds. Its first character decides the form; the content type is asked only where that leaves the matter
 * open, for senders often get it wrong.
 * @throws DecodeError
 */
export function parsePush({ contentType = "", body }: Pick<PushRequest, "contentType" | "body">, account: Account): ParsedPush {
  const decode = toDecode(body, contentType);
  const decoded = decode(body);
  if (decoded === null) throw notDecodable("body");
  const text = decoded.trimStart();
  if (text.startsWith("<")) return { form: "XML", fields: parseXmlPush(text, toOurName(account)) };
  if (/^[{[]/.test(text)) return { form: "JSON", fields: parseJson(text) };
  if (isMultipart(text, contentType)) {
    throw new DecodeError("MESSAGE_INVALID", "body is multipart/form-data; send it as JSON, XML or application/x-www-form-urlencoded");
  }
  if (/^[\w%[\].-]+=/.test(text) || contentType.includes("x-www-form-urlencoded"))
    return { form: "form", fields: toForm(text, body, decode) };
  if (contentType.includes("json")) return { form: "JSON", fields: parseJson(text) };
  throw new DecodeError("MESSAGE_INVALID", "body is neither JSON nor XML nor a form");
}

/** A form is read from its bytes, because what is escaped in it are bytes; one in UTF-16 has them in its characters. */
function toForm(text: string, body: Buffer, decode: ReturnType<typeof toDecode>): Record<string, unknown> {
  return body.includes(0) ? parseForm(Buffer.from(text), toDecode(Buffer.alloc(0), "")) : parseForm(withoutMark(body), decode);
}

function withoutMark(body: Buffer): Buffer {
  return body.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? body.subarray(3) : body;
}

function isMultipart(text: string, contentType: string): boolean {
  return (
    contentType.toLowerCase().includes("multipart/") || (text.startsWith("--") && /^content-disposition:/im.test(text.slice(0, 1_000)))
  );
}

function toOurName(account: Account): string {
  return account.kind === "official_account" ? account.wechat.appId : account.wechat.corpId;
}

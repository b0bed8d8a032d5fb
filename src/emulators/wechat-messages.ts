import { cdata } from "../wechat/xml.ts";

/** Elements by name. A string is written as CDATA, a number bare, as WeChat does it; an object holds further elements. */
export type Fields = { [name: string]: string | number | bigint | Fields };

/** The plain XML of one push. */
export function toXml(fields: Fields): string {
  return `<xml>${toElements(fields, "\n")}</xml>`;
}

function toElements(fields: Fields, separator: string): string {
  return Object.entries(fields)
    .map(([name, value]) => `<${name}>${toValue(value)}</${name}>`)
    .join(separator);
}

function toValue(value: Fields[string]): string {
  if (typeof value === "string") return cdata(value);
  return typeof value === "object" ? toElements(value, "") : String(value);
}

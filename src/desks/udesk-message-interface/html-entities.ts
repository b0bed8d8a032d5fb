import { decodeHTMLStrict } from "entities";

/**
 * Named and numbered characters, decoded once, so that `&amp;lt;` becomes `&lt;` and no further. HTML also knows some without their
 * semicolon; those stay, because an editor that does not escape writes `?a=1&copy=2`. Unknown names stay too. A blank that must not
 * break is a blank here: in a chat it only keeps a line from wrapping.
 */
export function decodeEntities(text: string): string {
  return text.includes("&") ? decodeHTMLStrict(text.replaceAll("&nbsp;", " ")) : text;
}

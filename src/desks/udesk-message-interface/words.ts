import { z } from "zod";
import { htmlToText } from "./html-to-text.ts";
import { toPlainText } from "./plain-text.ts";
import { toStorableText } from "./read.ts";
import { unshownExcept } from "./unsaid.ts";

/** An agent's text, unchanged. Digits without quotes count too: JSON tells numbers from texts by quotes alone, and forms have none. */
export const written = z.union([z.string(), z.number().transform(String)], "expected a text");

const unshown = unshownExcept(["content"]);

/** Texts that can be stored and sent. Unfit characters are removed last, because an HTML entity may name any character. */
export const plainWords = z.object({ content: written, ...unshown }).transform(({ content }) => toStorableText(toPlainText(content)));
export const htmlWords = z.object({ content: written, ...unshown }).transform(({ content }) => toStorableText(htmlToText(content)));

import { z } from "zod";
import { htmlToText } from "./html-to-text.ts";
import { toPlainText } from "./plain-text.ts";
import { toStorableText } from "./read.ts";
import { unshownExcept } from "./unsaid.ts";

/** What an agent wrote, as it stands: also digits without quotes, for JSON and forms know no other difference between a text and a number. */
export const written = z.union([z.string(), z.number().transform(String)], "expected a text");

const unshown = unshownExcept(["content"]);

/** Texts as they can be sent. What cannot is taken out last: HTML may name any character. */
export const plainWords = z.object({ content: written, ...unshown }).transform(({ content }) => toStorableText(toPlainText(content)));
export const htmlWords = z.object({ content: written, ...unshown }).transform(({ content }) => toStorableText(htmlToText(content)));

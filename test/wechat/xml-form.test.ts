import fc from "fast-check";
import { XMLValidator } from "fast-xml-parser";
import { expect, test } from "vitest";
import { requireWellFormed } from "../../src/wechat/xml-form.ts";

const name = fc.constantFrom("a", "Content", "Location_X", "constructor", "a-b", "é", "1");
const text = fc.constantFrom(
  "",
  "x",
  " ]]> ",
  "a>b",
  "'\"",
  "\u00A0",
  "<![CDATA[<b>&]]>",
  "<![CDATA[]a]b]]c]]>",
  "<![CDATA[]]",
  "<b/>",
  "&amp;",
  "&",
);
/** Mostly in the form of the platforms; now and then an end tag is another element's. */
const element = fc
  .tuple(name, text, name, fc.boolean())
  .map(([start, inside, end, isBroken]) => `<${start}>${inside}</${isBroken ? end : start}>`);
const after = fc.constantFrom("", "", "\n", "\u00A0", "x", "<a></a>", "<!-- -->", "<xml/>");
const document = fc
  .tuple(fc.array(fc.oneof({ weight: 4, arbitrary: element }, text), { maxLength: 4 }), after)
  .map(([inside, end]) => `<xml>${inside.join("")}</xml>${end}`);

function isTaken(candidate: string): boolean {
  try {
    requireWellFormed(candidate);
    return true;
  } catch {
    return false;
  }
}

test("whatever a body's form, what passes is well-formed, and what is refused declares something or is not", () => {
  const verdicts = new Set<boolean>();
  fc.assert(
    fc.property(document, fc.nat(), fc.constantFrom("", "<", ">", "/", "&", "]", "x"), (whole, number, character) => {
      const at = number % whole.length;
      for (const candidate of [whole, whole.slice(0, at) + character + whole.slice(at + 1)]) {
        const isWellFormed = XMLValidator.validate(candidate) === true;
        if (isTaken(candidate)) expect(isWellFormed).toBe(true);
        else expect(isWellFormed && !candidate.includes("<!")).toBe(false);
        verdicts.add(isTaken(candidate));
      }
    }),
    { numRuns: 2_000 },
  );
  expect([...verdicts].sort()).toEqual([false, true]);
});

test.each([
  ["between elements", "<xml><a>1</a><!ENTITY e 'v'></xml>"],
  ["in an element", "<xml><a><!ENTITY e 'v'></a></xml>"],
  ["behind the root", "<xml><a>1</a></xml><!DOCTYPE xml>"],
  ["behind a CDATA section that seems to hold it", "<xml><a><![CDATA[]]><!DOCTYPE xml>]]></a></xml>"],
])("a body in the form of the platforms but for a declaration %s is refused", (_where, body) => {
  expect(isTaken(body)).toBe(false);
});

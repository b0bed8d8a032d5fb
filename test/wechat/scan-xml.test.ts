import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DecodeError } from "../../src/base/errors.ts";
import { parseAnyXml } from "../../src/wechat/parse-any-xml.ts";
import { scanXml } from "../../src/wechat/scan-xml.ts";
import { cdata, escapeText, parseXml, type XmlElement } from "../../src/wechat/xml.ts";
import { toDocument } from "../../src/wechat/xml-text.ts";
import { hostileSamples, readHostile, readSample, xmlSamples } from "./fixtures.ts";

const ELEMENTS_MAX = 5_000;

function resultOf(read: () => XmlElement | null): XmlElement | string | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}

type Way = "scanned" | "parsed" | "refused";

/** Holds what `parseXml` says against the parser alone. */
function compare(body: Buffer | string): Way {
  const document = toDocument(body);
  const expected = resultOf(() => parseAnyXml(document, ELEMENTS_MAX));
  const actual = resultOf(() => parseXml(body));
  // Telling a difference takes a tenth of the time that describing it takes.
  if (!isDeepStrictEqual(actual, expected)) expect({ document, result: actual }).toEqual({ document, result: expected });
  if (typeof expected === "string") return "refused";
  return document.includes("\r") || scanXml(document, ELEMENTS_MAX) === null ? "parsed" : "scanned";
}

/** Says how often each way was taken, so that a property that compares nothing fails. */
function compareAll(bodies: fc.Arbitrary<Buffer | string>, numRuns: number): Record<Way, number> {
  const counts = { scanned: 0, parsed: 0, refused: 0 };
  fc.assert(
    fc.property(bodies, (body) => {
      counts[compare(body)] += 1;
    }),
    { numRuns },
  );
  return counts;
}

const awkward = fc.constantFrom(
  ..."]]> ]] ] > ]]]]><![CDATA[> &amp; &amp;amp; &lt;a&gt; &quot;&apos; &#65; &#x1F600; &#0; &#xD800; &#x110000; &nbsp; & &; &# &#x; &a".split(
    " ",
  ),
  ...["007", "+100", "1e5", "0x1F", "true", "", " ", "  a \n", "\t", "\r", "\r\n", "\0", "\u0008", "\uFFFE", "\uD83D", "\uDE00", "\uFEFF"],
  ...["\u0085", "\u00A0", "\u2028", "第", "😀", "'", '"', "</a>", "<b>", "<b/>", "<!-- c -->", "<!---->", "<!--->", "<!-->", "<?pi?>"],
  ...[
    "<![CDATA[",
    "<![CDATA[]]>",
    "<![CDATA[&amp;]]>",
    "<![CDATA[<b>]]]>",
    "<![cdata[x]]>",
    "<!DOCTYPE x>",
    '<!ENTITY e "v">',
    "&e;",
    "<",
    "</",
  ],
  ...[
    "<!",
    "<?",
    "<>",
    "</>",
    "< a>",
    "<a >x</a\n>",
    "<a\t/>",
    "<a/ >",
    "<a b='c'>x</a>",
    `<a b="'>" c='"'/>`,
    "<a b='1' b='2'/>",
    "<a b/>",
    "<a b=c/>",
  ],
  ...[
    "<a b = 'c'/>",
    "<a b='<'/>",
    "<a b='&amp;'/>",
    "<a b=''c=''/>",
    "<n:a>x</n:a>",
    "<_a.b-c>x</_a.b-c>",
    "<é>x</é>",
    "<1>x</1>",
    "<a-/>",
  ],
  ...["<a></b>", "<a><b></a></b>", "<xml>x</xml>", "</xml>", "<xml>", "<#text>x</#text>", "<=a>x</=a>", "<__proto__>x</__proto__>"],
);
const text = fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.string({ maxLength: 12 }), awkward);
const name = fc.oneof(
  fc.constantFrom("ToUserName", "MsgId", "Content", "a", "A1_", "constructor", "toString", "hasOwnProperty", "xml", "__proto__", "valueOf"),
  fc.stringMatching(/^[A-Za-z]\w{0,8}$/),
);
const content = fc.oneof(
  text.map(cdata),
  text.map(escapeText),
  fc.tuple(text.map(escapeText), text.map(cdata)).map((parts) => parts.join("")),
);
const leaf = fc.tuple(name, content).map(([tag, inside]) => `<${tag}>${inside}</${tag}>`);
const blanks = fc.constantFrom("", "", "\n", "\n  ", " x ");
const flat = fc.array(fc.tuple(leaf, blanks), { maxLength: 8 }).map((leaves) => `<xml>${leaves.flat().join("")}</xml>`);

const nested = fc.letrec<{ element: string }>((tie) => ({
  element: fc
    .tuple(name, fc.array(fc.oneof({ weight: 2, arbitrary: content }, { weight: 1, arbitrary: tie("element") }), { maxLength: 3 }))
    .map(([tag, parts]) => `<${tag}>${parts.join("")}</${tag}>`),
})).element;
const before = fc.constantFrom(
  ...[
    "",
    "",
    "",
    "\uFEFF",
    "\uFEFF\uFEFF",
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<?xml version='1.0' ?>\n",
    "\n",
    '\n<?xml version="1.0"?>',
    "<?xml?>",
  ],
  ...[
    '\uFEFF<?xml version="1.0"?>',
    "<!-- c -->",
    "<!DOCTYPE xml>",
    "x",
    "<?pi?>",
    "<![CDATA[]]>",
    '<?xml a="?>"?>',
    '<?xml a="1" a="1"?>',
    "\0",
  ],
);
const after = fc.constantFrom(
  ...["", "", "", "\n", "\r\n", "\0", "\u00A0", "x", "&amp;", "<!-- c -->", "<![CDATA[]]>", "<a></a>", "<xml/>", "</xml>", "<?pi?>"],
);
const nearlyFlat = fc
  .tuple(before, fc.array(fc.oneof(leaf, nested, awkward, text), { maxLength: 6 }), after)
  .map(([start, inside, end]) => `${start}<xml>${inside.join("")}</xml>${end}`);

const samples = [...xmlSamples.map(({ file }) => readSample(file)), ...hostileSamples.map(readHostile)].filter(
  ({ length }) => length < 10_000,
);
const mutation = fc.record({
  at: fc.nat({ max: 0xffff }),
  removed: fc.nat({ max: 3 }),
  inserted: fc.oneof(
    awkward.map((piece) => Buffer.from(piece)),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(
      Buffer.from([0xed, 0xa0, 0xbd]),
      Buffer.from([0xe4, 0xbd]),
      Buffer.from([0xff]),
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.alloc(0),
    ),
  ),
});
const mutated = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...samples),
      flat.map((document) => Buffer.from(document)),
    ),
    fc.array(mutation, { minLength: 1, maxLength: 3 }),
  )
  .map(([sample, mutations]) => mutations.reduce(mutate, sample));

function mutate(body: Buffer, { at, removed, inserted }: { at: number; removed: number; inserted: Buffer }): Buffer {
  const start = at % (body.length + 1);
  return Buffer.concat([body.subarray(0, start), inserted, body.subarray(start + removed)]);
}

describe("a body gives what the parser alone would make of it", () => {
  test("made of leaves", () => {
    expect(compareAll(flat, 12_000).scanned).toBeGreaterThan(6_000);
  });

  test("made of anything", () => {
    const { scanned, parsed, refused } = compareAll(nearlyFlat, 15_000);
    expect(Math.min(scanned, parsed, refused)).toBeGreaterThan(100);
  });

  test("with bytes changed, lost or added", () => {
    const { scanned, parsed, refused } = compareAll(mutated, 30_000);
    expect(Math.min(scanned, parsed, refused)).toBeGreaterThan(100);
  });

  test("cut off anywhere", () => {
    for (const sample of samples.filter((_sample, index) => index % 8 === 0)) {
      for (let end = 0; end < Math.min(sample.length, 600); end++) compare(sample.subarray(0, end));
    }
  });

  test.each([
    ["entities that expand entities", `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xml><Content>&b;</Content></xml>`],
    ["as many levels as allowed", `<xml>${"<a>".repeat(31)}x${"</a>".repeat(31)}</xml>`],
    ["one level more", `<xml>${"<a>".repeat(32)}x${"</a>".repeat(32)}</xml>`],
    ["two levels more", `<xml>${"<a>".repeat(33)}x${"</a>".repeat(33)}</xml>`],
    ["as many elements as allowed", `<xml>${"<a>1</a>".repeat(4_999)}</xml>`],
    ["one element more", `<xml>${"<a>1</a>".repeat(5_000)}</xml>`],
    ["a huge name", `<xml><${"a".repeat(50_000)}>x</${"a".repeat(50_000)}></xml>`],
    ["more CDATA sections than elements", `<xml><a>${"<![CDATA[x]]>".repeat(20_000)}</a></xml>`],
    ["more references than elements", `<xml><a>${"&amp;".repeat(20_000)}</a></xml>`],
    ["many attributes", `<xml ${Array.from({ length: 500 }, (_value, index) => `a${index}='b'`).join(" ")}>x</xml>`],
    ["a CDATA section inside another", "<xml><a><![CDATA[<![CDATA[x]]>]]></a></xml>"],
    ["a reference with a comment inside", "<xml><a>&#6<!-- -->5;</a></xml>"],
    ["an end tag that its start tag begins with", "<xml><ab>x</a></xml>"],
    ["an end tag that begins with its start tag", "<xml><a>x</ab></xml>"],
    ["nothing", ""],
    ["a tag without end", "<xml><a"],
  ])("%s", (_name, body) => {
    compare(body);
  });
});

test("the scan answers only documents within its limit of elements", () => {
  let answered = 0;
  fc.assert(
    fc.property(fc.oneof(flat, nearlyFlat), fc.integer({ min: 1, max: 8 }), (body, elementsMax) => {
      const document = toDocument(body);
      const scanned = document.includes("\r") ? null : resultOf(() => scanXml(document, elementsMax));
      if (scanned === null) return;
      answered += 1;
      expect(scanned).toEqual(resultOf(() => parseAnyXml(document, elementsMax)));
    }),
    { numRuns: 3_000 },
  );
  expect(answered).toBeGreaterThan(300);
});

test("the scan reads every sample of the platforms by itself", () => {
  const unread = xmlSamples.filter(({ file }) => scanXml(toDocument(readSample(file)), ELEMENTS_MAX) === null);
  expect(unread.map(({ file }) => file)).toEqual([]);
});

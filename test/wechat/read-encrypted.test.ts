import fc from "fast-check";
import { expect, test } from "vitest";
import { readEncrypted } from "../../src/wechat/envelope.ts";
import { childText, parseXml } from "../../src/wechat/xml.ts";
import { hostileSamples, readHostile, readSample, vectors, xmlSamples } from "./fixtures.ts";

const xmlInvalid = expect.objectContaining({ name: "DecodeError", code: "XML_INVALID" });

/** The ciphertext that the XML parser finds; undefined when it refuses the body. */
function parsed(body: Buffer): string | undefined {
  try {
    return childText(parseXml(body), "Encrypt")?.trim() ?? "";
  } catch {
    return undefined;
  }
}

const piece = fc.constantFrom(
  "<Encrypt>abcd</Encrypt>",
  "<Encrypt><![CDATA[ef+/]]></Encrypt>",
  "<Encrypt>\r\n <![CDATA[gh==]]> \r\n</Encrypt >",
  "<Encrypt>a<!-- b -->c<![CDATA[d]]></Encrypt>",
  "<Encrypt><Encrypt>nested</Encrypt></Encrypt>",
  "<Encrypt/>",
  "<Encrypt a='b'>abcd</Encrypt>",
  "<Encrypt>ab&amp;cd</Encrypt>",
  "<ns:Encrypt>abcd</ns:Encrypt>",
  "<a><Encrypt>deep</Encrypt></a>",
  "<Content><![CDATA[<Encrypt>typed</Encrypt>]]></Content>",
  "<Content><![CDATA[第]]></Content>",
  "<!-- <Encrypt>commented</Encrypt> -->",
  "<!---->",
  "<!--->",
  "<?pi <Encrypt>?>",
  "<a>",
  "</a>",
  "<a",
  "<",
  ">",
  "&",
  "]]>",
  "<![CDATA[",
  "\0",
  "\u0008",
  "\uFFFE",
  "\u00A0",
  "<xml>",
  "</xml>",
  "\n",
  " ",
  "x",
);
const prologue = fc.constantFrom(
  "",
  "",
  "\uFEFF",
  '<?xml version="1.0" encoding="UTF-8"?>',
  "\n",
  ' <?xml version="1.0"?>',
  "<?xml?>",
  "<!DOCTYPE xml>",
  "<!-- -->",
);
const envelope = fc
  .tuple(prologue, fc.array(piece, { maxLength: 6 }), fc.constantFrom("", "", "\n", "x", "<!-- -->", "<a></a>", "<![CDATA[]]>"))
  .map(([before, inside, after]) => `${before}<xml>${inside.join("")}</xml>${after}`);

function read(body: Buffer): string | undefined {
  try {
    return readEncrypted(body);
  } catch (error) {
    expect(error).toEqual(expect.objectContaining({ name: "DecodeError" }));
    return undefined;
  }
}

test.each([" ", "\n", " x "])("a quarter of a megabyte of %j around a ciphertext takes no longer than its length", (blanks) => {
  expect(readEncrypted(Buffer.from(`<xml><Encrypt>${blanks.repeat(256 * 1024)}YQ==</Encrypt></xml>`))).toMatch(/YQ==$/);
  expect(readEncrypted(Buffer.from(`<xml><Encrypt>YQ==${blanks.repeat(256 * 1024)}</Encrypt></xml>`))).toMatch(/^YQ==/);
});

/** Characters that the parser never sees. An envelope keeps them, so that a tag or a CDATA section may end elsewhere. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const DROPPED = /[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/;

test("where an envelope is read and the parser takes it, the ciphertext is the same", () => {
  let found = 0;
  fc.assert(
    fc.property(envelope, fc.nat(), fc.constantFrom("", "<", ">", "/", "&", "]", "x", "\0"), (whole, number, character) => {
      const at = number % whole.length;
      for (const text of [whole, whole.slice(0, at) + character + whole.slice(at + 1)]) {
        const ciphertext = read(Buffer.from(text));
        if (ciphertext === undefined || DROPPED.test(text)) continue;
        const expected = parsed(Buffer.from(text));
        // Line ends and letters inside stay as they are: no key opens a ciphertext that has any.
        if (/[^\w+/=]/.test(ciphertext) && /[^\w+/=]/.test(expected ?? "")) continue;
        expect([text, ciphertext]).toEqual([text, expected]);
        found += 1;
      }
    }),
    { numRuns: 5_000 },
  );
  expect(found).toBeGreaterThan(20);
});

test("every envelope that a platform has sent is read", () => {
  const bodies = [
    ...xmlSamples.filter(({ file }) => file.startsWith("envelope-")).map(({ file }) => readSample(file)),
    ...vectors.flatMap(({ op, body }) => (op === "decrypt" && body ? [Buffer.from(body)] : [])),
  ];
  expect(bodies.length).toBeGreaterThan(5);
  for (const body of bodies) expect(readEncrypted(body)).toMatch(/^[A-Za-z0-9+/]+=*$/);
});

test.each(hostileSamples)("no hostile body is read as an envelope: $file", (sample) => {
  expect(() => readEncrypted(readHostile(sample))).toThrow(expect.objectContaining({ name: "DecodeError" }));
});

test("a relay's odd envelopes are still read", () => {
  for (const encrypt of [
    "<Encrypt type='text'>abcd</Encrypt>",
    "<Encrypt>ab&#99;d</Encrypt>",
    "<Encrypt>&#x61;b<![CDATA[cd]]></Encrypt>",
    "<a b='c'/><Encrypt>abcd</Encrypt>",
    "<Content>a\u0001\0</Content><Encrypt>abcd</Encrypt>",
    "\r\n<!-- relayed -->\r\n<Encrypt>\r\n<![CDATA[abcd]]>\r\n</Encrypt>\r\n",
    "<n:a xmlns:n='urn:x'>1</n:a><Encrypt >abcd</Encrypt >",
  ]) {
    expect(readEncrypted(Buffer.from(`<xml>${encrypt}</xml>`))).toBe("abcd");
  }
});

test("a compatible envelope is read although its plain fields hold a cut character or thousands of brackets", () => {
  const cut = Buffer.concat([
    Buffer.from("<xml><Content><![CDATA[x"),
    Buffer.from([0xe4, 0xbd]),
    Buffer.from("]]></Content><Encrypt>abcd</Encrypt></xml>"),
  ]);
  expect(readEncrypted(cut)).toBe("abcd");
  expect(readEncrypted(Buffer.from(`<xml><Content><![CDATA[${"<".repeat(5_000)}]]></Content><Encrypt>abcd</Encrypt></xml>`))).toBe("abcd");
});

// The parser would take up to a tenth of a second for each.
test.each([
  ["elements", "<a></a>"],
  ["empty elements", "<a/>"],
  ["open elements", "<a>"],
  ["CDATA sections", "<![CDATA[]]>"],
  ["CDATA openings", "<![CDATA["],
  ["comments", "<!---->"],
  ["processing instructions", "<?a?>"],
  ["entities", "&amp;"],
  ["brackets", "<"],
])("an envelope with countless %s is refused without being parsed", (_what, markup) => {
  const filler = markup.repeat(Math.floor(250_000 / markup.length));
  for (const body of [`<xml>${filler}<Encrypt>abcd</Encrypt></xml>`, `<xml><Encrypt>abcd</Encrypt>${filler}</xml>`]) {
    expect(() => readEncrypted(Buffer.from(body))).toThrow(xmlInvalid);
  }
});

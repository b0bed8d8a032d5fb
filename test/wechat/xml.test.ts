import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flatTexts } from "../../src/wechat/fields.ts";
import { cdata, child, childText, escapeText, leafTexts, parseXml } from "../../src/wechat/xml.ts";
import { type HostileSample, hostileSamples, jsonSamples, readHostile, readSample, xmlSamples } from "./fixtures.ts";

const xmlInvalid = expect.objectContaining({ name: "DecodeError", code: "XML_INVALID" });

function contentOf(inside: string): string | undefined {
  return childText(parseXml(`<xml><Content>${inside}</Content></xml>`), "Content");
}

describe("a genuine body", () => {
  test.each(xmlSamples)("gives every text as sent: $file", ({ file, leafText, msgType, event, infoType }) => {
    const root = parseXml(readSample(file));
    const { ...all } = flatTexts(root);
    expect(all).toEqual({ ...leafText });
    const { ...direct } = leafTexts(root);
    expect(direct).toEqual(Object.fromEntries(Object.entries(leafText ?? {}).filter(([path]) => !/[.[]/.test(path))));
    expect([msgType, event, infoType]).toEqual(["MsgType", "Event", "InfoType"].map((name) => childText(root, name)?.trim()));
  });

  test.each(jsonSamples)("in JSON, which belongs to other account kinds, is refused: $file", ({ file }) => {
    expect(() => parseXml(readSample(file))).toThrow(xmlInvalid);
  });

  test("is the same from bytes and from a string", () => {
    const bytes = readSample("odd-emoji.xml");
    expect(parseXml(bytes.toString())).toEqual(parseXml(bytes));
  });
});

describe("a hostile body", () => {
  // Genuine messages have held a NUL; the set, which is older than that finding, would refuse them.
  const isOpen = ({ file, expect: expected }: HostileSample) => expected.includes(" or ") || file === "hostile/nul-byte.txt";
  const refused = hostileSamples.filter((sample) => sample.expect.startsWith("reject") && !isOpen(sample));
  const tolerated = hostileSamples.filter((sample) => !refused.includes(sample));

  test("is one of 21", () => {
    expect(hostileSamples).toHaveLength(21);
  });

  test.each(refused)("$file: $expect", (sample) => {
    expect(() => parseXml(readHostile(sample))).toThrow(xmlInvalid);
  });

  // What the set leaves open, and how we decided.
  const decisions: Record<string, unknown> = {
    "hostile/json-proto.txt": xmlInvalid,
    "hostile/invalid-utf8.txt": { Content: "\uFFFD\uFFFD\uFFFD(" },
    "hostile/gbk-body.txt": { Content: "\uFFFD\uFFFD\uFFFD", MsgId: "3" },
    "hostile/nul-byte.txt": { Content: "ab" },
    "hostile/control-char.txt": { Content: "ab" },
    "hostile/duplicate-elements.txt": { MsgType: "text", MsgId: "5" },
    "hostile/huge-attribute.txt": { MsgType: "text" },
  };

  test.each(tolerated)("$file: $expect", (sample) => {
    const decision = decisions[sample.file];
    expect(decision).toBeDefined();
    if (decision === xmlInvalid) expect(() => parseXml(readHostile(sample))).toThrow(xmlInvalid);
    else expect({ ...leafTexts(parseXml(readHostile(sample))) }).toMatchObject(decision as Record<string, string>);
  });

  test.each([
    ["a lower-case doctype", "<!doctype xml><xml/>"],
    ["a declaration inside the root", "<xml><!ENTITY a 'b'></xml>"],
    ["a DOCTYPE between attributes that look like a comment", '<xml a="<!--"><!DOCTYPE x [<!ENTITY e "v">]><a b="-->">&e;</a></xml>'],
    ["an undeclared entity", "<xml>&nbsp;</xml>"],
    ["a bare ampersand", "<xml>a & b</xml>"],
    ["an empty reference", "<xml>&#;</xml>"],
    ["an open CDATA section", "<xml><![CDATA[a</xml>"],
    ["an open comment", "<xml></xml><!-- a"],
    ["an open processing instruction", "<xml></xml><?a"],
    ["text before the root", "a<xml></xml>"],
    ["text after the root", "<xml></xml>a"],
    ["CDATA before the root", "<![CDATA[a]]><xml></xml>"],
    ["CDATA after the root", "<xml></xml><![CDATA[a]]>"],
    ["two empty roots", "<xml/><xml/>"],
    ["a root in capitals", "<XML></XML>"],
    ["a prefixed root", "<a:xml></a:xml>"],
    ["only a declaration", '<?xml version="1.0"?>'],
    ["more levels than allowed", `<xml>${"<a>".repeat(40)}${"</a>".repeat(40)}</xml>`],
    ["more elements than allowed", `<xml>${"<a/>".repeat(5_001)}</xml>`],
    ["more elements than allowed, behind an attribute like a comment", `<xml a="<!--">${"<a></a>".repeat(5_001)}<a b="-->"/></xml>`],
    ["more elements than allowed, behind one with both brackets", `<xml a="> <!--">${"<a></a>".repeat(5_001)}<a b="-->"/></xml>`],
    ["more brackets than elements are allowed, and a tag without end", `<xml>${"<".repeat(5_001)}</xml>`],
  ])("with %s is refused", (_name, body) => {
    expect(() => parseXml(body)).toThrow(xmlInvalid);
  });

  test("may hold more brackets than elements are allowed, where a customer typed them", () => {
    expect(contentOf(cdata("<a>".repeat(6_000)))).toBe("<a>".repeat(6_000));
    expect(childText(parseXml(`<xml><!--${"<a>".repeat(6_000)}--><Content a="'>'" b='">"'>x</Content></xml>`), "Content")).toBe("x");
  });

  test("is refused without being quoted", () => {
    expect(() => parseXml("<xml><Content>secret</Content><secret</xml>")).not.toThrow(/secret/);
  });

  test("of any kind throws nothing but a DecodeError and leaves the prototypes alone", () => {
    const tokens = [
      "<xml>",
      "</xml>",
      "<a>",
      "</a>",
      "<a/>",
      "<![CDATA[",
      "]]>",
      "<!--",
      "-->",
      "&amp;",
      "&",
      "<?",
      "?>",
      "'",
      '"',
      "<__proto__>",
      " ",
      "x",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens)), (parts) => {
        try {
          expect(parseXml(parts.join("")).name).toBe("xml");
        } catch (error) {
          expect(error).toEqual(xmlInvalid);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("with names of object properties is read like any other", () => {
    const root = parseXml("<xml><__proto__><polluted>1</polluted></__proto__><constructor>c</constructor><toString/></xml>");
    expect(root.children.map(({ name }) => name)).toEqual(["__proto__", "constructor", "toString"]);
    expect(Object.entries(leafTexts(root))).toEqual([
      ["constructor", "c"],
      ["toString", ""],
    ]);
    expect("polluted" in {}).toBe(false);
  });

  // Each would take minutes if the time grew with the square of the length; the limit of the runner is the measure.
  test.each([
    ["attribute", `<xml a="${"x".repeat(250_000)}"></xml>`],
    ["run of blanks in a tag", `<xml${" ".repeat(250_000)}></xml>`],
    ["tag name", `<xml><${"a".repeat(120_000)}></${"a".repeat(120_000)}></xml>`],
    ["text of entities", `<xml>${"&amp;".repeat(50_000)}</xml>`],
    ["text of line ends", `<xml>${"\r".repeat(250_000)}</xml>`],
    ["row of CDATA sections", `<xml>${"<![CDATA[]]>".repeat(20_000)}</xml>`],
    ["row of comments", `<xml>${"<!---->".repeat(30_000)}</xml>`],
    ["declaration", `<?xml ${"a='b' ".repeat(40_000)}?><xml></xml>`],
    ["row of elements", `<xml>${"<a>x</a>\n".repeat(4_900)}</xml>`],
    ["CDATA section of brackets", `<xml><a><![CDATA[${"]".repeat(250_000)}]]></a></xml>`],
  ])("with a huge %s is read in linear time", (_name, body) => {
    expect(parseXml(body).name).toBe("xml");
  });

  test.each([
    ["CDATA openings", `<xml>${"<![CDATA[".repeat(25_000)}`],
    ["comment openings", `<xml>${"<!--".repeat(60_000)}`],
    ["elements", `<xml>${"<a/>".repeat(60_000)}</xml>`],
    ["open elements", `<xml>${"<a>".repeat(80_000)}`],
    ["quotes", `<xml ${"a='".repeat(80_000)}></xml>`],
    ["elements before a wrong end", `<xml>${"<a>]]</a>".repeat(25_000)}</xmk>`],
    ["CDATA sections before a wrong end", `<xml>${"<a><![CDATA[]]]></a>".repeat(12_000)}</a></xml>`],
  ])("with countless %s is refused in linear time", (_name, body) => {
    expect(() => parseXml(body)).toThrow(xmlInvalid);
  });
});

describe("a text", () => {
  test("survives CDATA, except characters illegal in XML and the form of line ends", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(fc.string({ unit: "binary", maxLength: 1 }), fc.constantFrom("]", "]]>", "<![CDATA[", "&lt;", "\r\n")),
        }),
        (text) => {
          expect(contentOf(cdata(text))).toBe(legal(text).replace(/\r\n?/g, "\n"));
        },
      ),
    );
  });

  test("survives escaping, except characters illegal in XML", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(contentOf(escapeText(text))).toBe(legal(text));
      }),
    );
  });

  test.each(["]]>", "]]]]>>", "a]]>b]]>", "]]", "]", ">", "<![CDATA[x]]>"])("may hold the end of a CDATA section: %s", (text) => {
    expect(contentOf(cdata(text))).toBe(text);
  });

  test("with a NUL, or with a UTF-8 sequence that was cut, is read all the same", () => {
    const body = (inside: number[]) => Buffer.concat([Buffer.from("<xml><Content>"), Buffer.from(inside), Buffer.from("</Content></xml>")]);
    expect(childText(parseXml(body([0x78, 0x00, 0x79])), "Content")).toBe("xy");
    expect(childText(parseXml(body([0x78, 0xe4, 0xbd, 0x79])), "Content")).toBe("x\uFFFDy");
    // Half of an emoji, as encoders write it that know of UTF-16 only, and a byte that is in no UTF-8.
    expect(childText(parseXml(body([0xed, 0xa0, 0xbd, 0x79, 0xff])), "Content")).toMatch(/^\uFFFD+y\uFFFD$/);
  });

  test("loses references to characters that XML does not know, as it loses the characters", () => {
    for (const reference of ["&#0;", "&#x0;", "&#x1F;", "&#xD800;", "&#xDFFF;", "&#xFFFE;", "&#x110000;", "&#99999999999999999999;"]) {
      expect(contentOf(`x${reference}y`)).toBe("xy");
    }
    expect(contentOf("x&#x85;&#9;y")).toBe("x\u0085\ty");
  });

  test("loses control characters, half surrogate pairs and non-characters, and keeps every emoji", () => {
    expect(contentOf(cdata("a\u0008b\uD83Dc\uFFFEd😀\u0000"))).toBe("abcd😀");
    expect(contentOf(escapeText("a\u0008b\uD83Dc\uFFFEd😀\u0000"))).toBe("abcd😀");
  });

  test("has its entities decoded once, outside CDATA only", () => {
    expect(contentOf("&amp;lt; &#65;&#x1F600; <![CDATA[&lt; &#65;]]>")).toBe("&lt; A😀 &lt; &#65;");
  });

  test("may begin like a declaration, where a customer typed it", () => {
    expect(contentOf(cdata("<!DOCTYPE html><!ENTITY>"))).toBe("<!DOCTYPE html><!ENTITY>");
  });

  test("stays a string with all its characters", () => {
    for (const text of ["007", "+100", "1e5", "0x1F", "true", "null", "  a \n", "24871530000000209"]) {
      expect(contentOf(text)).toBe(text);
      expect(contentOf(cdata(text))).toBe(text);
    }
  });
});

test("only direct children are found, the first of a name wins, and a child with children is no leaf", () => {
  const root = parseXml("<xml><Extra><A>deep</A></Extra><A>first</A><A>second</A><B><C/></B></xml>");
  expect(childText(root, "A")).toBe("first");
  expect(child(root, "C")).toBeUndefined();
  expect({ ...leafTexts(root) }).toEqual({ A: "first" });
});

function legal(text: string): string {
  return Array.from(text)
    .filter((character) => /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]$/u.test(character))
    .join("");
}

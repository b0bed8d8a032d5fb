import fc from "fast-check";
import { expect, test } from "vitest";
import { readDispositionName } from "../../src/media/disposition-name.ts";

/** As it comes over the wire: one character per byte. */
const raw = (text: string) => Buffer.from(text).toString("latin1");
const GBK_INVOICE = "\xb7\xa2\xc6\xb1";

test.each([
  ["quoted", 'attachment; filename="invoice 7.pdf"', "invoice 7.pdf"],
  ["with blanks and no quotes", "attachment; filename=invoice 7.pdf", "invoice 7.pdf"],
  ["with escaped quotes", 'inline; filename="a \\"b\\".pdf"; size=3', 'a "b".pdf'],
  ["with a semicolon in quotes", 'attachment;filename = "a;b.pdf" ;', "a;b.pdf"],
  ["extended, which goes first", "attachment; filename=x.pdf; filename*=UTF-8''%e5%8f%91%e7%a5%a8.pdf", "发票.pdf"],
  ["extended with a language", "attachment; filename*=utf-8'zh'%E5%8F%91%E7%A5%A8%201.pdf", "发票 1.pdf"],
  ["extended in quotes", "attachment; filename*=\"UTF-8''%e5%8f%91%e7%a5%a8.pdf\"", "发票.pdf"],
  ["extended in GBK", "attachment; filename*=GBK''%b7%a2%c6%b1.pdf", "发票.pdf"],
  ["extended and broken, beside a plain one", "attachment; filename*=UTF-8''%e5%8f.pdf; filename=x.pdf", "x.pdf"],
  ["extended in a charset that there is not", "attachment; filename*=x-none''a.pdf; filename=x.pdf", "x.pdf"],
  ["in raw UTF-8", raw('attachment; filename="发票.pdf"'), "发票.pdf"],
  ["in raw GBK", `attachment; filename="${GBK_INVOICE}.pdf"`, "发票.pdf"],
  ["in raw Latin-1", 'attachment; filename="caf\xe9.pdf"', "café.pdf"],
  ["percent-encoded", 'attachment; filename="%E5%8F%91%E7%A5%A8.pdf"', "发票.pdf"],
  ["percent-encoded in GBK", "attachment; filename=%b7%a2%c6%b1.pdf", "发票.pdf"],
  ["with a percent sign that encodes nothing", 'attachment; filename="100%.pdf"', "100%.pdf"],
  ["RFC 2047, base64", 'attachment; filename="=?UTF-8?B?5Y+R56WoLnBkZg==?="', "发票.pdf"],
  ["RFC 2047, quoted, in two words", 'attachment; filename="=?utf-8?Q?=E5=8F=91?= =?utf-8?Q?=E7=A5=A8_1.pdf?="', "发票 1.pdf"],
  ["without a type", 'filename="x.pdf"', "x.pdf"],
  ["in capitals", 'Attachment; FileName="x.pdf"', "x.pdf"],
  ["not at all", "inline", undefined],
  ["empty", "", undefined],
  ["absent", undefined, undefined],
])("a name %s is read", (_how, header, name) => {
  expect(readDispositionName(header)).toBe(name);
});

test("no header makes it throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("attachment; filename=", "attachment; filename*=", 'filename="', ""), (text, start) => {
      readDispositionName(start + text);
    }),
  );
});

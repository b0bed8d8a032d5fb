import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FetchedMedia } from "../../src/media/fetcher.ts";
import { toMediaFile } from "../../src/media/file.ts";
import { sniffMedia } from "../../src/media/sniff.ts";

const PDF = Buffer.from("%PDF-1.7 …");
const JPG = Buffer.from("ffd8ffe000104a46", "hex");
const COMPOUND = Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(600)]);
const TEXT = Buffer.from("名称,价格\r\n茶,12\r\n");
const UNKNOWN = Buffer.from("\0\x01\x02 unknown");

/** A zip with these entries (PKWARE APPNOTE 4.3.7). */
function zip(...names: string[]): Buffer {
  const parts = names.map((name) => {
    const content = deflateRawSync(`<${name}/>`);
    const head = Buffer.alloc(30);
    head.write("PK\x03\x04", "latin1");
    head.writeUInt16LE(20, 4);
    head.writeUInt16LE(8, 8);
    head.writeUInt32LE(content.length, 18);
    head.writeUInt32LE(name.length + 3, 22);
    head.writeUInt16LE(name.length, 26);
    return Buffer.concat([head, Buffer.from(name), content]);
  });
  return Buffer.concat(parts);
}

async function fileOf(bytes: Buffer, change: { title?: string; url?: string } & Partial<FetchedMedia> = {}) {
  const { title, url = "https://desk.example/dl/123", ...headers } = change;
  const content = { type: "file", url, ...(title === undefined ? {} : { title }) } as const;
  const { fileName, contentType } = await toMediaFile(content, { bytes, url, ...headers }, sniffMedia(bytes));
  return [fileName, contentType];
}

describe("a file's name", () => {
  test.each<[string, Parameters<typeof fileOf>, string, string]>([
    [
      "title, extension by the bytes",
      [PDF, { title: "发票", disposition: "attachment; filename=invoice 7.pdf", contentType: "application/octet-stream" }],
      "发票.pdf",
      "application/pdf",
    ],
    ["header", [PDF, { disposition: "attachment; filename=invoice 7.pdf" }], "invoice 7.pdf", "application/pdf"],
    ["header, without its path", [PDF, { disposition: 'attachment; filename="C:\\\\tmp\\\\..\\\\a.pdf"' }], "a.pdf", "application/pdf"],
    ["address", [PDF, { url: "https://desk.example/u/%E5%8F%91%E7%A5%A8.pdf?x=1" }], "发票.pdf", "application/pdf"],
    ["address in GBK", [PDF, { url: "https://desk.example/u/%b7%a2%c6%b1.pdf" }], "发票.pdf", "application/pdf"],
    ["address that says nothing", [PDF], "123.pdf", "application/pdf"],
    ["address of a program", [PDF, { url: "https://desk.example/download.php?id=3" }], "download.pdf", "application/pdf"],
    ["address of a host", [PDF, { url: "https://desk.example" }], "file.pdf", "application/pdf"],
    ["dot in a title that is no extension", [PDF, { title: "offer v1.2" }], "offer v1.2.pdf", "application/pdf"],
    ["capital extension", [PDF, { title: "A.PDF" }], "A.pdf", "application/pdf"],
    ["extension that the bytes contradict", [JPG, { title: "scan.pdf" }], "scan.jpg", "image/jpeg"],
    [
      "program that calls itself a document",
      [Buffer.from("MZ\x90\0"), { title: "invoice.pdf" }],
      "invoice.exe",
      "application/x-msdownload",
    ],
    ["another spelling", [JPG, { title: "scan.jpeg" }], "scan.jpeg", "image/jpeg"],
    [
      "Word",
      [zip("[Content_Types].xml", "word/document.xml"), { title: "合同" }],
      "合同.docx",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    [
      "Excel",
      [zip("xl/workbook.xml"), { title: "报价" }],
      "报价.xlsx",
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ],
    ["plain zip", [zip("a.txt"), { title: "all" }], "all.zip", "application/zip"],
    ["electronic invoice, a zip", [zip("OFD.xml"), { title: "发票.ofd" }], "发票.ofd", "application/zip"],
    ["old Word by its header", [COMPOUND, { title: "合同", disposition: "attachment; filename=c.doc" }], "合同.doc", "application/msword"],
    [
      "old Excel by its type",
      [COMPOUND, { title: "报价", contentType: "application/vnd.ms-excel" }],
      "报价.xls",
      "application/vnd.ms-excel",
    ],
    ["old Office without a hint", [COMPOUND, { title: "报价" }], "报价", "application/x-cfb"],
    ["text by its name", [TEXT, { title: "prices.csv" }], "prices.csv", "text/csv"],
    ["text by its type", [TEXT, { contentType: "text/csv; charset=utf-8" }], "123.csv", "text/csv"],
    ["text", [TEXT], "123.txt", "text/plain"],
    ["text of a server that calls all a program", [TEXT, { contentType: "application/x-msdownload" }], "123.txt", "text/plain"],
    ["unknown bytes", [UNKNOWN, { title: "data" }], "data", "application/octet-stream"],
    ["unknown bytes with an extension", [UNKNOWN, { title: "data.dwg" }], "data.dwg", "image/vnd.dwg"],
  ])("by %s", async (_by, given, fileName, contentType) => {
    expect(await fileOf(...given)).toEqual([fileName, contentType]);
  });

  test.each([
    ["a/b\\c:d*e?f<g>h|i", "a_b_c_d_e_f_g_h_i.pdf"],
    ['say "yes"', "say 'yes'.pdf"],
    ["..\0 two\r\nlines\u0007 ", "two lines.pdf"],
    ["invoice\u202efdp.exe", "invoicefdp.pdf"],
    ["half \ud83d", "half \ufffd.pdf"],
    ["…", "….pdf"],
    [" . ", "123.pdf"],
  ])("%j is cleaned", async (title, fileName) => {
    expect((await fileOf(PDF, { title }))[0]).toBe(fileName);
  });

  test("has at most 180 bytes, no half character, and keeps its extension", async () => {
    expect((await fileOf(PDF, { title: `${"发".repeat(100)}.pdf` }))[0]).toBe(`${"发".repeat(58)}.pdf`);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), async (title) => {
        const [fileName = ""] = await fileOf(PDF, { title });
        expect(Buffer.byteLength(fileName)).toBeLessThanOrEqual(180);
        expect(fileName).toMatch(/^[^\p{Cc}\p{Surrogate}"/\\]+\.pdf$/u);
      }),
    );
  });
});

test.each([
  ["image", JPG, "media.jpg", "image/jpeg"],
  ["image", Buffer.from("89504e470d0a1a0a0000", "hex"), "media.png", "image/png"],
  ["voice", Buffer.from("#!AMR\n\x04"), "media.amr", "audio/amr"],
  ["voice", Buffer.from("fffb9064", "hex"), "media.mp3", "audio/mpeg"],
  ["video", Buffer.from("000000186674797069736f6d0000020069736f6d69736f32", "hex"), "media.mp4", "video/mp4"],
] as const)("an %s is called after its bytes", async (type, bytes, fileName, contentType) => {
  const url = "https://desk.example/dl/123";
  expect(await toMediaFile({ type, url }, { bytes, url }, sniffMedia(bytes))).toMatchObject({ fileName, contentType });
});

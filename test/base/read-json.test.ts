import fc from "fast-check";
import { expect, test } from "vitest";
import { readJson } from "../../src/base/read-json.ts";

const read = (body: string | Buffer, contentType = "") => readJson({ headers: { "content-type": contentType }, body: Buffer.from(body) });

test("any object is read as JSON reads it, with a byte order mark in front and anything behind", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (object, behind) => {
      const json = JSON.stringify(object);
      expect(read(json)).toEqual(JSON.parse(json));
      expect(read(`\ufeff${json}\n<${behind}`)).toEqual(JSON.parse(json));
    }),
  );
});

test("a raw control character in a string is a blank", () => {
  expect(read('{"errmsg":"a\u0000b\tc","next":"\\u0007"}\0')).toEqual({ errmsg: "a b c", next: "\u0007" });
});

test.each(["", "<html>", "hello {", '{"a":', "}", '"'.repeat(1_000_000), `{${'\\"'.repeat(500_000)}`])(
  "%.20j is no JSON, and that is soon known",
  (body) => {
    expect(read(body)).toBeUndefined();
  },
);

test("nothing makes it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (body, charset) => {
      read(Buffer.from(body), `text/plain; charset=${charset}`);
    }),
  );
});

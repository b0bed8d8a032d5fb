import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decompress } from "../../src/base/decompress.ts";

const BYTES_MAX = 100_000;
const PLAIN = Buffer.from('{"errcode":0,"errmsg":"好"}');

test.each([
  ["gzip", gzipSync(PLAIN)],
  ["x-gzip", gzipSync(PLAIN)],
  [" GZIP ", gzipSync(PLAIN)],
  ["deflate", deflateSync(PLAIN)],
  ["deflate", deflateRawSync(PLAIN)],
  ["br", brotliCompressSync(PLAIN)],
  ["deflate, gzip", gzipSync(deflateSync(PLAIN))],
  ["identity, gzip,", gzipSync(PLAIN)],
])("content-encoding %j is undone", async (coding, bytes) => {
  expect(await decompress(bytes, coding, BYTES_MAX)).toEqual(PLAIN);
});

test("any bytes come back as they were", async () => {
  const compressors = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.constantFrom("gzip", "deflate", "br"), async (given, coding) => {
      const bytes = Buffer.from(given);
      expect(await decompress(compressors[coding](bytes), coding, BYTES_MAX)).toEqual(bytes);
    }),
  );
});

test.each([undefined, "", "identity", "utf-8", "aws-chunked", "gzip, gzip, gzip, gzip"])(
  "with content-encoding %j the bytes stay as they came",
  async (coding) => {
    const bytes = gzipSync(PLAIN);
    expect(await decompress(bytes, coding, BYTES_MAX)).toEqual(bytes);
  },
);

test.each(["gzip", "deflate", "br"])("a body that is not %s although its header says so stays as it came", async (coding) => {
  expect(await decompress(PLAIN, coding, BYTES_MAX)).toEqual(PLAIN);
  expect(await decompress(Buffer.alloc(0), coding, BYTES_MAX)).toEqual(Buffer.alloc(0));
});

test("a stream without its trailer is read", async () => {
  expect(await decompress(gzipSync(PLAIN).subarray(0, -8), "gzip", BYTES_MAX)).toEqual(PLAIN);
  expect(await decompress(deflateSync(PLAIN).subarray(0, -4), "deflate", BYTES_MAX)).toEqual(PLAIN);
});

test.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
])("a %s bomb is given up at the limit", async (coding, compress) => {
  const bomb = compress(Buffer.alloc(BYTES_MAX * 100));
  expect(bomb.length).toBeLessThan(BYTES_MAX);
  await expect(decompress(bomb, coding, BYTES_MAX)).rejects.toMatchObject({ name: "TooLongError" });
  await expect(decompress(gzipSync(bomb), `${coding}, gzip`, BYTES_MAX)).rejects.toMatchObject({ name: "TooLongError" });
});

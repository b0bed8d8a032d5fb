import { promisify } from "node:util";
import { brotliDecompress, constants, gunzip, inflate, inflateRaw } from "node:zlib";
import { TooLongError } from "./read-bounded.ts";

/**
 * Undoes the content codings of an answer (RFC 9110 §8.4), outermost first, also those that the request did not ask for. Bytes that
 * contradict the header, and codings unknown here ("utf-8", "aws-chunked"), stay unchanged: the caller reads them, or finds that it
 * cannot.
 * @throws TooLongError when one layer decompresses to more than `bytesMax`; no more than that is kept in memory
 */
export async function decompress(bytes: Buffer, contentEncoding: string | undefined, bytesMax: number): Promise<Buffer> {
  let decoded = bytes;
  for (const coding of toCodings(contentEncoding)) {
    const decode = DECODERS.get(coding);
    if (decode === undefined || decoded.length === 0) return decoded;
    try {
      decoded = await decode(decoded, bytesMax);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") throw new TooLongError(bytesMax);
      return decoded;
    }
  }
  return decoded;
}

/** No honest server compresses three times; a longer list is an attack. */
const CODINGS_MAX = 3;

function toCodings(contentEncoding = ""): string[] {
  const codings = contentEncoding.split(",").map((coding) => coding.trim().toLowerCase());
  const named = codings.filter((coding) => coding !== "" && coding !== "identity").reverse();
  return named.length > CODINGS_MAX ? [] : named;
}

type Decode = (bytes: Buffer, bytesMax: number) => Promise<Buffer>;

// A stream without its trailer counts as whole, as in curl and browsers: HTTP itself tells when an answer was cut off.
const unGzip: Decode = (bytes, bytesMax) => promisify(gunzip)(bytes, { maxOutputLength: bytesMax, finishFlush: constants.Z_SYNC_FLUSH });

const unBrotli: Decode = (bytes, bytesMax) =>
  promisify(brotliDecompress)(bytes, { maxOutputLength: bytesMax, finishFlush: constants.BROTLI_OPERATION_FLUSH });

/** "deflate" is a zlib stream (RFC 9110 §8.4.1.2); some servers send it without the zlib header. */
const unDeflate: Decode = (bytes, bytesMax) =>
  promisify(hasZlibHeader(bytes) ? inflate : inflateRaw)(bytes, { maxOutputLength: bytesMax, finishFlush: constants.Z_SYNC_FLUSH });

/** RFC 1950 §2.2: method 8, and the two bytes together are a multiple of 31. */
function hasZlibHeader([method = 0, flags = 0]: Buffer): boolean {
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0;
}

const DECODERS: ReadonlyMap<string, Decode> = new Map([
  ["gzip", unGzip],
  ["x-gzip", unGzip],
  ["deflate", unDeflate],
  ["br", unBrotli],
]);

export class TooLongError extends Error {
  override name = "TooLongError";
  constructor(bytesMax: number) {
    super(`answer is longer than ${bytesMax} bytes`);
  }
}

/** @throws TooLongError as soon as there is more, without keeping it */
export async function readBounded(chunks: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new TooLongError(bytesMax);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

import { findAddresses, type Span } from "./find-addresses.ts";

/**
 * The longest beginning of `text` that fits into `bytesMax` bytes of UTF-8, ended where a reader would pause: after a line, else
 * after a sentence, else after a blank, else between characters (grapheme clusters, so that no emoji is torn). Never inside an
 * address that fits into one part: both halves would be dead links.
 * @returns how many UTF-16 units it has; `text.length` when all of it fits, never 0 for a text that is not empty
 */
export function fittingLength(text: string, bytesMax: number): number {
  if (Buffer.byteLength(text) <= bytesMax) return text.length;
  const characterEnd = lastWholeCharacter(text, bytesMax);
  // `bytesMax` more units hold the whole of any address that fits and begins before `characterEnd`.
  const addresses = findAddresses(text.slice(0, characterEnd + bytesMax), bytesMax);
  const hardEnd = beforeAddress(text, characterEnd, addresses);
  const head = text.slice(0, hardEnd);
  // A pause in the first half would leave a stump; then the next weaker pause is the better place.
  for (const pause of PAUSES) {
    const end = lastEnd(head, pause, addresses);
    if (end > hardEnd / 2) return end;
  }
  return hardEnd;
}

/** An ASCII sign ends a sentence before a blank, a quote or Chinese, not before a letter: "?" and ";" stand inside addresses. */
const PAUSES: readonly RegExp[] = [/\n/g, /[。！？…；]|[!?;](?![\w/&=#%?;!-])|\.(?=\s)/g, /\s/g];

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function lastWholeCharacter(text: string, bytesMax: number): number {
  let bytes = 0;
  let end = 0;
  // A unit takes at least one byte, so what fits lies within the first bytesMax units; a little more keeps the last cluster whole.
  for (const { segment, index } of graphemes.segment(text.slice(0, bytesMax + 64))) {
    bytes += Buffer.byteLength(segment);
    if (bytes > bytesMax) break;
    end = index + segment.length;
  }
  return end > 0 ? end : lastWholeCodePoint(text, bytesMax);
}

/** For a single cluster larger than the limit, which only an attack has: code points stay whole. */
function lastWholeCodePoint(text: string, bytesMax: number): number {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax && end > 0) break;
    end += character.length;
  }
  return end;
}

/** Unchanged where no address is cut, or where the address is all there is before. */
function beforeAddress(text: string, end: number, addresses: readonly Span[]): number {
  const cut = addresses.find((address) => isInside(address, end));
  if (cut === undefined) return end;
  // A sign that joins what follows it, as some scripts have, stays with the address.
  const start = graphemes.segment(text.slice(0, end)).containing(cut.start)?.index ?? cut.start;
  return start > 0 ? start : end;
}

function lastEnd(text: string, pause: RegExp, addresses: readonly Span[]): number {
  let end = 0;
  for (const match of text.matchAll(pause)) {
    const pauseEnd = match.index + match[0].length;
    if (!addresses.some((address) => isInside(address, pauseEnd))) end = pauseEnd;
  }
  return end;
}

function isInside({ start, end }: Span, at: number): boolean {
  return start < at && at < end;
}

/**
 * The longest beginning of `text` that fits into `bytesMax` bytes of UTF-8, ended where a reader would pause: after a line, else
 * after a sentence, else after a blank, else between characters (grapheme clusters, so that no emoji is torn).
 * @returns how many UTF-16 units it has; `text.length` when all of it fits, never 0 for a text that is not empty
 */
export function fittingLength(text: string, bytesMax: number): number {
  if (Buffer.byteLength(text) <= bytesMax) return text.length;
  const hardEnd = lastWholeCharacter(text, bytesMax);
  const head = text.slice(0, hardEnd);
  // A pause in the first half would leave a stump; then the next weaker pause is the better place.
  for (const pause of [/\n/g, /[。！？!?…；;]|\.(?=\s)/g, /\s/g]) {
    const end = lastEnd(head, pause);
    if (end > hardEnd / 2) return end;
  }
  return hardEnd;
}

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

function lastEnd(text: string, pause: RegExp): number {
  let end = 0;
  for (const match of text.matchAll(pause)) end = match.index + match[0].length;
  return end;
}

export type MediaFormat = "jpg" | "png" | "gif" | "amr" | "mp3" | "mp4";

export const MEDIA_TYPES: Readonly<Record<MediaFormat, string>> = {
  jpg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  amr: "audio/amr",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
};

/** What the first bytes are, whatever name and content type say: the platforms look at them too. Null for anything else. */
export function sniffMedia(bytes: Buffer): MediaFormat | null {
  const start = bytes.toString("latin1", 0, 12);
  if (start.startsWith("\xff\xd8\xff")) return "jpg";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (start.startsWith("GIF87a") || start.startsWith("GIF89a")) return "gif";
  if (start.startsWith("#!AMR\n")) return "amr";
  if (start.startsWith("ID3") || isMp3Frame(bytes)) return "mp3";
  if (start.slice(4, 8) === "ftyp") return OTHER_BRANDS.test(start.slice(8)) ? null : "mp4";
  return null;
}

/** Pictures (HEIC, AVIF), sound alone and QuickTime come in the same box as MP4. */
const OTHER_BRANDS = /^(hei|hev|mif1|msf1|avif|avis|M4A|M4B|qt)/;

/** MPEG audio without a tag in front: eleven set bits, then a version that exists, then layer III. */
function isMp3Frame([first = 0, second = 0]: Buffer): boolean {
  return first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x18) !== 0x08 && (second & 0x06) === 0x02;
}

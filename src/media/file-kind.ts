import { fileTypeFromBuffer, supportedExtensions } from "file-type";
import mime from "mime";
import { decodeAs } from "./decode-bytes.ts";

/** The type of a file, detected from its bytes. */
export interface FileKind {
  /** Without a dot. */
  extension: string;
  contentType: string;
}

/** An archive of thousands of entries takes long to read through, and nothing else runs meanwhile. */
const DETECT_BYTES_MAX = 64 * 1024;

/** Null when the bytes do not tell, as with plain text. */
export async function detectKind(bytes: Buffer): Promise<FileKind | null> {
  const found = await fileTypeFromBuffer(bytes.subarray(0, DETECT_BYTES_MAX)).catch(() => undefined);
  if (found === undefined) return null;
  const extension = (found.ext === "zip" && OFFICE.find(([part]) => bytes.includes(part))?.[1]) || found.ext;
  return { extension, contentType: extension === found.ext ? found.mime : (mime.getType(extension) ?? found.mime) };
}

/** Parts that name the program, for archives that say it behind those bytes: LibreOffice writes its table of contents last. */
const OFFICE: readonly [part: string, extension: string][] = [
  ["word/document.xml", "docx"],
  ["xl/workbook.xml", "xlsx"],
  ["ppt/presentation.xml", "pptx"],
];

/**
 * The extension under which the file can be opened; "" when nothing tells. `wanted` are extensions that its names have, the best first:
 * the first that does not contradict the bytes is taken. All in lower case, as WeChat wants them. The server's content type comes last,
 * since servers guess by the name.
 */
export function chooseExtension(bytes: Buffer, kind: FileKind | null, wanted: readonly string[], contentType = ""): string {
  const stated = mime.getExtension(contentType) ?? "";
  const isRefuted = kind === null && DETECTABLE.has(stated);
  const candidates = isRefuted ? wanted : [...wanted, stated];
  const fitting = candidates.filter(isExtension).find((extension) => extension !== "bin" && fits(extension, kind));
  if (fitting !== undefined) return fitting;
  if (kind !== null) return kind.extension === "cfb" ? "" : kind.extension;
  return isText(bytes) ? "txt" : "";
}

/** Servers that send everything as application/x-msdownload (exe) are no reason to call it that. */
const DETECTABLE: ReadonlySet<string> = supportedExtensions;

/** Whether this is an ending that programs know, not the rest of a version or a price. */
export function isExtension(text: string): boolean {
  return text !== "" && (mime.getType(text) !== null || CONTAINED.has(text));
}

export function toContentType(extension: string, kind: FileKind | null): string {
  const byName = mime.getType(extension) ?? "application/octet-stream";
  if (kind === null) return byName;
  return kind.extension === extension || byName === "application/octet-stream" ? kind.contentType : byName;
}

function fits(extension: string, kind: FileKind | null): boolean {
  return kind === null || extension === kind.extension || (SAME[kind.extension]?.includes(extension) ?? false);
}

function isText(bytes: Buffer): boolean {
  const start = bytes.subarray(0, DETECT_BYTES_MAX);
  return !start.includes(0) && (start.length < bytes.length || decodeAs(start, "utf-8") !== null || decodeAs(start, "gb18030") !== null);
}

/**
 * Other extensions of what the bytes are: other spellings, and formats that are a zip, a compound file (the Office of before 2007), XML
 * or another container without saying more. An electronic invoice of China (ofd) is a zip.
 */
const SAME: Readonly<Record<string, readonly string[]>> = {
  aif: ["aiff"],
  apng: ["png"],
  asf: ["wmv", "wma"],
  cfb: ["doc", "dot", "xls", "xlt", "ppt", "pps", "wps", "et", "dps", "msg", "vsd", "mpp", "pub", "msi"],
  exe: ["dll", "scr"],
  gz: ["tgz", "svgz"],
  jpg: ["jpeg", "jpe", "jfif"],
  mid: ["midi"],
  mov: ["qt"],
  mp4: ["m4v", "f4v", "mov"],
  mpg: ["mpeg", "mpe"],
  ogg: ["oga", "ogv", "opus", "spx"],
  pdf: ["ai"],
  tif: ["tiff"],
  xml: ["svg", "html", "htm", "xhtml", "kml", "gpx", "rss", "xsd", "xsl", "plist"],
  zip: [
    ...["docx", "docm", "dotx", "xlsx", "xlsm", "xltx", "pptx", "pptm", "ppsx", "vsdx", "odt", "ods", "odp", "wps", "et", "dps", "ofd"],
    ...["epub", "jar", "apk", "ipa", "xmind", "sketch", "pages", "numbers", "key", "kmz", "3mf"],
  ],
};

const CONTAINED: ReadonlySet<string> = new Set(Object.values(SAME).flat());

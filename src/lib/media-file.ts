import type { FileContent, ImageContent, VideoContent, VoiceContent } from "../domain/content.ts";
import type { MultipartFile } from "./multipart.ts";
import { MEDIA_TYPES, type MediaFormat } from "./sniff-media.ts";

/** Media that somebody keeps at this address, which has been fetched before any of this is asked. */
export type ByAddress = (ImageContent | VoiceContent | VideoContent | FileContent) & { url: string };

/** The file as it is uploaded. */
export function toMediaFile(content: ByAddress, bytes: Buffer, format: MediaFormat | null): MultipartFile {
  const contentType = format === null ? "application/octet-stream" : MEDIA_TYPES[format];
  return { field: "media", fileName: toFileName(content, format), contentType, bytes };
}

const FILE_NAME_LENGTH_MAX = 100;

/** A file is shown under its name; of other media only the ending matters. */
function toFileName(content: ByAddress, format: MediaFormat | null): string {
  if (content.type !== "file") return `media.${format}`;
  const name = content.title || decodeLoosely(new URL(content.url).pathname.split("/").at(-1) ?? "");
  return name.replace(/[\p{Cc}/\\]/gu, "_").slice(-FILE_NAME_LENGTH_MAX) || `file.${format ?? "bin"}`;
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import type { MultipartFile } from "../base/multipart.ts";
import type { FileContent, ImageContent, VideoContent, VoiceContent } from "../domain/content.ts";
import { readDispositionName } from "./disposition-name.ts";
import type { FetchedMedia } from "./fetcher.ts";
import { chooseExtension, detectKind, toContentType } from "./file-kind.ts";
import { cleanName, extensionOf, lastPart, nameInAddress, withExtension } from "./file-name.ts";
import { MEDIA_TYPES, type MediaFormat } from "./sniff.ts";

/** Media that somebody keeps at this address, which has been fetched before any of this is asked. */
export type ByAddress = (ImageContent | VoiceContent | VideoContent | FileContent) & { url: string };

/** The file as it is uploaded. A file is shown under its name; of other media only the ending matters. */
export async function toMediaFile(content: ByAddress, fetched: FetchedMedia, format: MediaFormat | null): Promise<MultipartFile> {
  if (content.type === "file") return { field: "media", ...(await describeFile(content, fetched)), bytes: fetched.bytes };
  const contentType = format === null ? "application/octet-stream" : MEDIA_TYPES[format];
  return { field: "media", fileName: `media.${format}`, contentType, bytes: fetched.bytes };
}

/**
 * A name that says what an agent called it and ends in what the file is, so that a phone opens it. The bytes decide: a PDF called
 * a.docx becomes a.pdf. Where they do not tell, the names and then the server do.
 */
async function describeFile(content: ByAddress & FileContent, { bytes, disposition, contentType, url }: FetchedMedia) {
  const stated = lastPart(readDispositionName(disposition) ?? "");
  const given = [content.title ?? "", stated, nameInAddress(url), nameInAddress(content.url)];
  const names = given.map(cleanName).filter((name) => name !== "");
  const kind = await detectKind(bytes);
  const extension = chooseExtension(bytes, kind, names.map(extensionOf), contentType);
  return { fileName: withExtension(names[0] ?? "file", extension), contentType: toContentType(extension, kind) };
}

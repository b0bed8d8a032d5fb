import type {
  Content,
  FileContent,
  ImageContent,
  LinkContent,
  LocationContent,
  MiniProgramContent,
  TextContent,
  VideoContent,
  VoiceContent,
} from "../domain/content.ts";
import { identifier } from "./fields.ts";
import { childText, type XmlElement } from "./xml.ts";

/*
 * The message types of developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html and, for WeCom,
 * developer.work.weixin.qq.com/document/path/90239. What a platform made is trimmed, what a person wrote never is.
 */

/** What a message of a known type says; null when the type is unknown, or the message lacks what makes it one of its type. */
export function normalizeContent(root: XmlElement, msgType: string): Content | null {
  switch (msgType) {
    case "text":
      return toText(root);
    case "image":
      return toImage(root);
    case "voice":
      return toVoice(root);
    case "video":
    case "shortvideo":
      return toVideo(root, msgType);
    case "location":
      return toLocation(root);
    case "link":
      return toLink(root);
    case "file":
      return toFile(root);
    case "miniprogrampage":
      return toMiniProgram(root);
    default:
      return null;
  }
}

function toText(root: XmlElement): TextContent | null {
  const text = childText(root, "Content");
  return text === undefined ? null : { type: "text", text, menuId: identifier(root, "bizmsgmenuid") };
}

function toImage(root: XmlElement): ImageContent | null {
  const mediaId = identifier(root, "MediaId");
  const url = identifier(root, "PicUrl");
  return mediaId || url ? { type: "image", mediaId, url } : null;
}

function toVoice(root: XmlElement): VoiceContent | null {
  const mediaId = identifier(root, "MediaId");
  // Where Recognition is sent at all it is mostly empty: only old accounts still get their speech recognised.
  const recognition = childText(root, "Recognition") || undefined;
  return mediaId ? { type: "voice", mediaId, format: identifier(root, "Format"), recognition } : null;
}

function toVideo(root: XmlElement, type: VideoContent["type"]): VideoContent | null {
  const mediaId = identifier(root, "MediaId");
  return mediaId ? { type, mediaId, thumbMediaId: identifier(root, "ThumbMediaId") } : null;
}

function toLocation(root: XmlElement): LocationContent | null {
  // Against all custom X is the latitude: the manual's sample is 23.134521, 113.358803, which is Guangzhou.
  const latitude = identifier(root, "Location_X");
  const longitude = identifier(root, "Location_Y");
  if (!latitude || !longitude) return null;
  return { type: "location", latitude, longitude, scale: identifier(root, "Scale"), label: childText(root, "Label") || undefined };
}

function toLink(root: XmlElement): LinkContent | null {
  const url = identifier(root, "Url");
  if (!url) return null;
  const title = childText(root, "Title") ?? "";
  const description = childText(root, "Description") ?? "";
  return { type: "link", title, description, url, pictureUrl: identifier(root, "PicUrl") };
}

/** Not in the manual, but sent by Official Accounts, and without a MediaId: the file itself cannot be fetched. */
function toFile(root: XmlElement): FileContent {
  return {
    type: "file",
    title: childText(root, "Title") || undefined,
    description: childText(root, "Description") || undefined,
    mediaId: identifier(root, "MediaId"),
    fileKey: identifier(root, "FileKey"),
    md5: identifier(root, "FileMd5"),
    length: identifier(root, "FileTotalLen"),
  };
}

function toMiniProgram(root: XmlElement): MiniProgramContent | null {
  const appId = identifier(root, "AppId");
  if (!appId) return null;
  return {
    type: "miniprogrampage",
    title: childText(root, "Title") ?? "",
    appId,
    pagePath: identifier(root, "PagePath") ?? "",
    thumbUrl: identifier(root, "ThumbUrl"),
    thumbMediaId: identifier(root, "ThumbMediaId"),
  };
}

import type { LoopbackRequest } from "./loopback.ts";
import { json, type LoopbackAnswer } from "./loopback-answer.ts";
import type { AccountState } from "./wechat-account-state.ts";
import { refuse } from "./wechat-errors.ts";
import type { Media, MediaType, World } from "./wechat-world.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** wechat.md §11. */
const BYTES_MAX: Readonly<Record<MediaType, number>> = {
  image: 10 * MIB,
  voice: 2 * MIB,
  video: 10 * MIB,
  thumb: 64 * KIB,
  file: 20 * MIB,
};
const WECOM_BYTES_MIN = 6;

/** `POST /cgi-bin/media/upload?type=`: one multipart field `media` with a file name. */
export async function upload(account: AccountState, request: LoopbackRequest, { shelf, now }: World): Promise<LoopbackAnswer> {
  const type = toMediaType(request.query.get("type"), account);
  if (!type) return refuse(40004);
  const file = await readFile(request);
  if (!file) return refuse(41005);

  const bytes = Buffer.from(await file.arrayBuffer());
  if (bytes.length > BYTES_MAX[type]) return refuse(type === "image" ? 40009 : 45001);
  if (!isTaken(bytes, type, account)) return refuse(40005);
  if (bytes.length < (account.details.kind === "wecom" ? WECOM_BYTES_MIN : 1)) return refuse(41005);

  const { id } = shelf.put({ type, account, contentType: file.type, fileName: file.name, bytes });
  const createdAt = Math.floor(now() / 1000);
  // WeCom gives the time as a string and writes its success into the answer; the other platform does neither.
  if (account.details.kind === "wecom") return json({ errcode: 0, errmsg: "", type, media_id: id, created_at: String(createdAt) });
  return json({ type, [type === "thumb" ? "thumb_media_id" : "media_id"]: id, created_at: createdAt });
}

/** wechat.md §11: by their first bytes, whatever the name says. WeCom takes fewer forms. */
const FIRST_BYTES: Readonly<Record<MediaType, Record<AccountState["details"]["kind"], RegExp>>> = {
  image: { official_account: /^(\xff\xd8|\x89PNG|GIF8)/, wecom: /^(\xff\xd8|\x89PNG)/ },
  voice: { official_account: /^(#!AMR|ID3|\xff[\xe0-\xff])/, wecom: /^#!AMR/ },
  video: { official_account: /^.{4}ftyp/s, wecom: /^.{4}ftyp/s },
  thumb: { official_account: /^\xff\xd8/, wecom: /^\xff\xd8/ },
  file: { official_account: /^/, wecom: /^/ },
};

function isTaken(bytes: Buffer, type: MediaType, { details: { kind } }: AccountState): boolean {
  return bytes.length === 0 || FIRST_BYTES[type][kind].test(bytes.toString("latin1", 0, 16));
}

/** `GET /cgi-bin/media/get`: bytes, or JSON for an Official Account's video, or an error as JSON in text/plain. */
export function download(account: AccountState, request: LoopbackRequest, { shelf }: World): LoopbackAnswer {
  const media = shelf.get(request.query.get("media_id") ?? "");
  if (media?.account !== account) return { ...refuse(40007), headers: { "content-type": "text/plain" } };
  if (media.type === "video" && account.details.kind === "official_account") {
    return json({ video_url: `http://${request.headers.host}${picturePath(media)}` });
  }
  return {
    ...toFile(media),
    headers: { "content-type": media.contentType, "content-disposition": `attachment; filename="${media.fileName}"` },
  };
}

/** Where anybody can fetch it, as under the PicUrl of a callback. */
export function picturePath({ id }: Media): string {
  return `/mmbiz_pic/${id}/0`;
}

export function showPicture(path: string, { shelf }: World): LoopbackAnswer | null {
  const media = shelf.get(/^\/mmbiz_pic\/([\w-]+)\/0$/.exec(path)?.[1] ?? "");
  return media && toFile(media);
}

function toFile({ contentType, bytes }: Media): LoopbackAnswer {
  return { status: 200, headers: { "content-type": contentType }, body: bytes };
}

function toMediaType(given: string | null, { details: { kind } }: AccountState): MediaType | null {
  if (given === "image" || given === "voice" || given === "video") return given;
  if (given === "thumb" && kind === "official_account") return given;
  if (given === "file" && kind === "wecom") return given;
  return null;
}

async function readFile({ headers, body }: LoopbackRequest): Promise<File | null> {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": headers["content-type"] ?? "" } })
    .formData()
    .catch(() => null);
  const file = form?.get("media");
  return file && typeof file !== "string" ? file : null;
}

import { z } from "zod";
import type { MultipartFile } from "../base/multipart.ts";
import { withTimeLimit } from "../base/time-limit.ts";
import type { PreparedContent } from "../domain/channel.ts";
import type { Content } from "../domain/content.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { MediaFailure, MediaFetcher } from "../media/fetcher.ts";
import { type ByAddress, toMediaFile } from "../media/file.ts";
import { type MediaFormat, sniffMedia } from "../media/sniff.ts";
import type { PlatformAnswer } from "./answer.ts";

/** What a platform takes of one type. */
export interface MediaRule {
  /** The upload's `type`. */
  uploadType: string;
  bytesMax: number;
  bytesMin?: number;
  /** Null: any. */
  formats: readonly MediaFormat[] | null;
}

export type MediaRules = Readonly<Partial<Record<Content["type"], MediaRule>>>;

export interface MediaUploadDeps {
  accountId: string;
  rules: MediaRules;
  media: MediaFetcher;
  /** `POST media/upload` with a token; a verdict's fields hold the media id. */
  upload: (uploadType: string, file: MultipartFile, signal: AbortSignal) => Promise<PlatformAnswer>;
  toOutcome: (errcode: string, errmsg: string) => Outcome;
}

const FETCH_TIMEOUT_MS = 8_000;
// Both together. The try that they belong to is cut off after 25 s, and the send behind them needs its 10 s: if it were cut off
// instead of them, a slow picture would make an uncertain message.
const PREPARE_TIMEOUT_MS = 13_000;

/** Whether it is media of a type that the platform takes, known by its address alone. */
export function isUploadable(content: Content, rules: MediaRules): content is ByAddress {
  return rules[content.type] !== undefined && "url" in content && Boolean(content.url) && !("mediaId" in content && content.mediaId);
}

/**
 * Fetches media from the address that the desk gave, and uploads them. Repeated, it uploads once more; ids that nobody uses are gone
 * after three days. Whatever network and platform do is an answer.
 */
export async function uploadMedia(content: Content, deps: MediaUploadDeps, signal: AbortSignal): Promise<PreparedContent> {
  const rule = deps.rules[content.type];
  if (rule === undefined || !isUploadable(content, deps.rules)) {
    return { kind: "unfit", code: "MEDIA_TYPE_UNSUPPORTED", detail: `the platform takes no ${content.type}` };
  }
  return withTimeLimit(PREPARE_TIMEOUT_MS, signal, async (limited) => {
    const leave = await deps.media.gate.enter(deps.accountId, limited);
    if (leave === null) return BUSY;
    return fetchAndUpload(content, rule, deps, limited).finally(leave);
  });
}

const BUSY: PreparedContent = {
  kind: "stopped",
  outcome: { kind: "retry", code: "MEDIA_BUSY", detail: "too many media are being fetched at once; it is tried again" },
};

async function fetchAndUpload(content: ByAddress, rule: MediaRule, deps: MediaUploadDeps, signal: AbortSignal): Promise<PreparedContent> {
  const fetched = await deps.media.fetch({ url: content.url, bytesMax: rule.bytesMax, timeoutMs: FETCH_TIMEOUT_MS, signal });
  if ("code" in fetched) return toUnfetched(fetched);
  const format = sniffMedia(fetched.bytes);
  const refusal = findRefusal(fetched.bytes, format, rule);
  if (refusal !== null) return { kind: "unfit", ...refusal };
  const answer = await deps.upload(rule.uploadType, await toMediaFile(content, fetched, format), signal);
  return toPrepared(content, answer, deps);
}

function toUnfetched(failure: MediaFailure): PreparedContent {
  if (failure.code === "MEDIA_ADDRESS_REFUSED") return { kind: "stopped", outcome: { kind: "rejected", ...failure } };
  return { kind: failure.code === "MEDIA_UNREACHABLE" ? "unreachable" : "unfit", ...failure };
}

function findRefusal(bytes: Buffer, format: MediaFormat | null, rule: MediaRule): { code: string; detail: string } | null {
  if (bytes.length < (rule.bytesMin ?? 1)) return { code: "MEDIA_TYPE_UNSUPPORTED", detail: `the file has only ${bytes.length} bytes` };
  if (rule.formats === null || (format !== null && rule.formats.includes(format))) return null;
  const wanted = `the platform takes ${rule.uploadType} as ${rule.formats.join(", ")} only`;
  return { code: "MEDIA_TYPE_UNSUPPORTED", detail: `${wanted}; its first bytes say ${format ?? "something else"}` };
}

const uploadedSchema = z.object({ media_id: z.string().min(1) });

function toPrepared(content: ByAddress, answer: PlatformAnswer, { toOutcome }: MediaUploadDeps): PreparedContent {
  const uploaded = uploadedSchema.safeParse(answer.kind === "verdict" ? answer.fields : null);
  if (answer.kind === "verdict" && answer.errcode === "0" && uploaded.success) {
    return { kind: "ready", content: { ...content, mediaId: uploaded.data.media_id } };
  }
  const outcome = answer.kind === "none" ? answer.outcome : toOutcome(answer.errcode, answer.errmsg);
  const detail = "detail" in outcome && outcome.detail ? outcome.detail : "the platform's answer holds no media id";
  const code = "code" in outcome ? outcome.code : "WECHAT_ANSWER_UNREADABLE";
  // A lost answer costs an upload that nobody uses; the contact has seen nothing, so there is no doubt.
  if (outcome.kind === "uncertain" || outcome.kind === "done") return { kind: "stopped", outcome: { kind: "retry", code, detail } };
  return outcome.kind === "rejected" ? { kind: "unfit", code, detail } : { kind: "stopped", outcome };
}

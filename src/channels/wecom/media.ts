import type { UploadChannel } from "../../domain/channel.ts";
import { callPlatform } from "../../platform/json.ts";
import { isUploadable, type MediaRules, uploadMedia } from "../../platform/upload.ts";
import { callWithToken } from "../../platform/with-token.ts";
import { fetchToken } from "./access-token.ts";
import type { WecomDeps } from "./deps.ts";
import { isTokenRefused, toOutcome } from "./outcome.ts";

const MIB = 1024 * 1024;
const UPLOAD_TIMEOUT_MS = 10_000;

// developer.work.weixin.qq.com/document/path/90253. Voices end at 60 s, which WeCom checks.
const BYTES_MIN = 6;
const RULES: MediaRules = {
  image: { uploadType: "image", bytesMax: 10 * MIB, bytesMin: BYTES_MIN, formats: ["jpg", "png"] },
  voice: { uploadType: "voice", bytesMax: 2 * MIB, bytesMin: BYTES_MIN, formats: ["amr"] },
  video: { uploadType: "video", bytesMax: 10 * MIB, bytesMin: BYTES_MIN, formats: ["mp4"] },
  file: { uploadType: "file", bytesMax: 20 * MIB, bytesMin: BYTES_MIN, formats: null },
};

/** Media and files that a desk knows by their address become temporary media of this app. */
export function createUpload(deps: WecomDeps): Pick<UploadChannel, "canPrepare" | "prepare"> {
  const { account, http, tokens, media, now } = deps;
  return {
    canPrepare: (content) => isUploadable(content, RULES),
    prepare: (content, signal) =>
      uploadMedia(
        content,
        {
          accountId: account.id,
          rules: RULES,
          media,
          toOutcome,
          upload: (type, file, limited) => {
            const request = { method: "POST", baseUrl: account.wechat.apiBaseUrl, path: "/cgi-bin/media/upload", file } as const;
            return callWithToken(tokens, {
              owner: account,
              fetchToken: () => fetchToken(deps),
              call: (token, signal) =>
                callPlatform(http, { ...request, query: { access_token: token, type }, timeoutMs: UPLOAD_TIMEOUT_MS, signal }, now),
              isTokenRefused,
              signal: limited,
            });
          },
        },
        signal,
      ),
  };
}

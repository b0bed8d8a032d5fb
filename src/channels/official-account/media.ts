import type { UploadChannel } from "../../domain/channel.ts";
import { callPlatform } from "../../platform/json.ts";
import { isUploadable, type MediaRules, uploadMedia } from "../../platform/upload.ts";
import { callWithToken } from "../../platform/with-token.ts";
import { fetchToken } from "./access-token.ts";
import type { OfficialAccountDeps } from "./deps.ts";
import { isTokenRefused, toOutcome } from "./outcome.ts";

const MIB = 1024 * 1024;
const UPLOAD_TIMEOUT_MS = 10_000;

// developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html. Voices end at 60 s, which WeChat checks.
const RULES: MediaRules = {
  image: { uploadType: "image", bytesMax: 10 * MIB, formats: ["jpg", "png", "gif"] },
  voice: { uploadType: "voice", bytesMax: 2 * MIB, formats: ["amr", "mp3"] },
  video: { uploadType: "video", bytesMax: 10 * MIB, formats: ["mp4"] },
};

/** Media that a desk knows by their address become temporary media of this account. Files have no form here at all. */
export function createUpload(deps: OfficialAccountDeps): Pick<UploadChannel, "canPrepare" | "prepare"> {
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
              fetchToken: (force) => fetchToken(deps, force),
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

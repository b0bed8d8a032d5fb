import type { CheckResult } from "../../domain/check.ts";
import { currentOf } from "../../domain/credential.ts";
import { isAppId } from "../../wechat/key-shapes.ts";
import type { OfficialAccountDeps } from "./deps.ts";

/** The forms of ids and keys; that they are this account's own, only WeChat can tell. */
export function testKeys({ account, credentials }: Pick<OfficialAccountDeps, "account" | "credentials">): CheckResult {
  const { appId, encryption } = account.wechat;
  if (!isAppId(appId)) {
    const isName = appId.startsWith("gh_");
    return {
      ok: !isName,
      sentence: isName ? `${appId} is the account's name, not its AppID` : `${appId} does not look like an AppID: wx and 16 of 0-9, a-f`,
      why: "WeChat gives tokens for the AppID only, and encrypts callbacks for it",
      remedy: "copy the AppID from the basic configuration of WeChat's console",
    };
  }
  const encodingAesKey = currentOf(credentials.encodingAesKey);
  if (encodingAesKey === null) return { ok: true, sentence: `appId and token are well formed; ${encryption} mode needs no key` };
  return { ok: true, sentence: "appId, token and EncodingAESKey are well formed" };
}

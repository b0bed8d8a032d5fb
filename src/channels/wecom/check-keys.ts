import type { CheckResult } from "../../domain/check.ts";
import { isCorpId } from "../../wechat/key-shapes.ts";
import type { WecomDeps } from "./deps.ts";

/** The forms of ids and keys; that they are this app's own, only WeCom can tell. */
export function testKeys({ account }: Pick<WecomDeps, "account">): CheckResult {
  const { corpId } = account.wechat;
  if (!isCorpId(corpId)) {
    return {
      ok: true,
      sentence: `${corpId} does not look like a company's id: ww and 16 letters or digits`,
      why: "WeCom gives tokens for the company's id only, and encrypts callbacks for it",
      remedy: "copy the company's id from My Company in WeCom's console",
    };
  }
  return { ok: true, sentence: "corpId, token and EncodingAESKey are well formed" };
}

/** Of one text, in UTF-8: asynchronous on both platforms, passive on WeCom (wechat.md §7, §8). */
export const TEXT_BYTES_MAX = 2048;
/** Of a passive text of an Official Account. Reported, not documented; beyond it the customer sees an error (wechat.md §7). */
export const PASSIVE_TEXT_BYTES_MAX = 2047;

export const ARTICLES_MAX = { official_account: 1, wecom: 8 } as const;

/** What a customer sees in place of an answer that is late or not valid (wechat.md §6). */
export const OUT_OF_SERVICE = "该公众号暂时无法提供服务，请稍后再试";

/** Cuts as WeCom does, except that a character cut in half disappears. */
export function cutToBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  return new TextDecoder().decode(bytes.subarray(0, bytesMax), { stream: true });
}

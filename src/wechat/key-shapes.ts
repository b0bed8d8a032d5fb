/** The form in which WeChat gives out AppIDs. */
export function isAppId(text: string): boolean {
  return /^wx[0-9a-f]{16}$/.test(text);
}

/** The form in which WeCom gives out company ids; old ones begin with wx. */
export function isCorpId(text: string): boolean {
  return /^w[wx][0-9a-zA-Z]{16}$/.test(text);
}

/** The one account that all benchmarks use, on all sides. */
export const ACCOUNT = {
  id: "shop",
  appId: "wx0123456789abcdef",
  appSecret: "0123456789abcdef0123456789abcdef",
  token: "tokenOfTheBenchmarks",
  encodingAesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
  accountName: "gh_0123456789ab",
  deskKey: "0123456789abcdef0123456789abcdef",
} as const;

export const ADMIN_KEY = "admin-key-of-the-benchmarks-0123456789";
export const CALLBACK_PATH = `/wechat/${ACCOUNT.id}`;

/** A contact's name, as long as WeChat's are. */
export function toOpenId(contact: number): string {
  return `oBench${String(contact).padStart(22, "0")}`;
}

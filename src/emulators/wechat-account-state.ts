export type Encryption = "plain" | "compatible" | "safe";

export type AccountDetails =
  | {
      kind: "official_account";
      appId: string;
      appSecret: string;
      token: string;
      encodingAesKey: string;
      encryption: Encryption;
      /** The gh_… name. */
      accountName: string;
    }
  | { kind: "wecom"; corpId: string; corpSecret: string; agentId: number; token: string; encodingAesKey: string };

/** An account as WeChat's console shows it. */
export interface AccountState {
  /** The appId, or corpId/agentId. */
  readonly id: string;
  /** As in the console: may be changed while it runs. */
  details: AccountDetails;
  callbackUrl: string;
}

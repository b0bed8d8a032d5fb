export type AccountKind = "official_account" | "wecom";

import { createHttpClient } from "../base/http-client.ts";
import type { Environment } from "../config.ts";
import { checkPublicUrl } from "../http/check-public-url.ts";
import { toPlannedAddress } from "../http/listener.ts";
import { diagnoseAccounts, type GatewayApi, toRefusal } from "./diagnose-accounts.ts";
import { diagnoseSettings } from "./diagnose-settings.ts";
import { diagnoseStore } from "./diagnose-store.ts";
import { type Finding, isHealthy } from "./finding.ts";
import { toFinding } from "./to-finding.ts";

export { diagnoseElsewhere, type GatewayApi } from "./diagnose-accounts.ts";

/**
 * A way to a gateway's API, or one to open when the rest has been looked at: opening a gateway on an embedded database locks the folder
 * and applies migrations, so a look at either comes before. Null when there is no way.
 */
export type ApiSource = GatewayApi | null | (() => Promise<GatewayApi | null>);

/**
 * Looks at everything between the settings and the last account, changes nothing, and never throws for what it finds: a thing that
 * cannot be looked at is a finding too. Paths given to `api` begin behind `/api/v1`.
 */
export async function diagnose(environment: Environment, api: ApiSource): Promise<Finding[]> {
  const { config, findings: settings } = diagnoseSettings(environment);
  if (config === null) return [...settings, ...(await diagnoseAccounts(typeof api === "function" ? null : api, { remedy: MEND_FIRST }))];

  const { findings: store, isReady } = await diagnoseStore(config);
  const publicUrl = await diagnosePublicUrl(config.publicUrl ?? toPlannedAddress(config));
  const before = [...settings, ...store, publicUrl];
  if (typeof api !== "function") return [...before, ...(await diagnoseAccounts(api))];
  if (!isHealthy(before)) return [...before, ...(await diagnoseAccounts(null, { remedy: MEND_FIRST }))];
  if (!isReady) return [...before, ...(await diagnoseAccounts(null))];
  try {
    return [...before, ...(await diagnoseAccounts(await api()))];
  } catch (error) {
    return [...before, toRefusal(error)];
  }
}

const MEND_FIRST = "mend what has failed, then ask again";

const PUBLIC_URL_TIMEOUT_MS = 8_000;

async function diagnosePublicUrl(publicUrl: string): Promise<Finding> {
  const http = createHttpClient();
  const startedAt = performance.now();
  try {
    const check = await checkPublicUrl(publicUrl, http, AbortSignal.timeout(PUBLIC_URL_TIMEOUT_MS));
    return toFinding("publicUrl", { ...check, ms: Math.round(performance.now() - startedAt) });
  } finally {
    await http.close();
  }
}

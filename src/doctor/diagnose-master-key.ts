import { ConfigError } from "../base/errors.ts";
import type { Config } from "../config.ts";
import { loadMasterKey, masterKeyFile, previousKeyFile } from "../keys/master-key.ts";
import { findMissingKeys } from "../keys/master-keys.ts";
import { createSecretBox } from "../keys/secret-box.ts";
import type { Inspection } from "../store/inspect.ts";
import type { Finding } from "./finding.ts";

const WHY = "every stored secret is encrypted with it: without the right one no account works, and the gateway does not start";

/** Whether the keys at hand open what is stored, tried on one secret of each key that was ever used. */
export async function diagnoseMasterKey(config: Config, { keys }: Pick<Inspection, "keys">): Promise<Finding[]> {
  const name = "masterKey";
  if (keys.length === 0) return [{ name, ok: true, what: "no secret is stored yet", why: "", remedy: null }];
  try {
    const current = config.masterKey ?? (await loadMasterKey(masterKeyFile(config.dataDir)));
    if (current === null) {
      const remedy = "put the file back from its backup, or set WXDESK_MASTER_KEY to the key that it held";
      return [{ name, ok: false, what: `secrets are stored, but ${config.dataDir}/master.key is not there`, why: WHY, remedy }];
    }
    const unfinished = config.masterKey === undefined ? await loadMasterKey(previousKeyFile(config.dataDir)) : null;
    const box = createSecretBox({ current, others: [unfinished, config.previousMasterKey].flatMap((key) => key ?? []) });
    const missing = findMissingKeys(box, keys);
    if (missing !== null) throw missing;
    for (const { secret, context } of keys) box.open(secret, context);
    return [{ name, ok: true, what: "the master key opens the stored secrets", why: "", remedy: null }];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [what = "", ...remedy] = error.message.split("; ");
    return [{ name, ok: false, what, why: WHY, remedy: remedy.join("; ") || null }];
  }
}

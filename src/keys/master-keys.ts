import { ConfigError } from "../base/errors.ts";
import type { Config } from "../config.ts";
import type { SecretBox } from "../domain/secret-box.ts";
import { listKeys } from "../store/accounts/reencrypt.ts";
import type { Database } from "../store/database/database.ts";
import { loadOrCreateMasterKey, masterKeyFile, previousKeyFile } from "./master-key.ts";
import type { MasterKeys } from "./secret-box.ts";

export interface ConfiguredKeys extends MasterKeys {
  /** The file that was made just now, because there was no key. */
  createdFile: string | null;
  /** The file of the old key that an unfinished rotation left. */
  unfinishedFile: string | null;
}

type KeySettings = Pick<Config, "masterKey" | "previousMasterKey" | "dataDir">;

/** The key of the settings, else the one in the data folder, which is made when there is none; with each what is left of a rotation. */
export async function readMasterKeys({ masterKey, previousMasterKey, dataDir }: KeySettings): Promise<ConfiguredKeys> {
  const others = previousMasterKey === undefined ? [] : [previousMasterKey];
  if (masterKey !== undefined) return { current: masterKey, others, createdFile: null, unfinishedFile: null };
  const { key, previous, created } = await loadOrCreateMasterKey(dataDir);
  return {
    current: key,
    others: previous === null ? others : [previous, ...others],
    createdFile: created ? masterKeyFile(dataDir) : null,
    unfinishedFile: previous === null ? null : previousKeyFile(dataDir),
  };
}

const ACCOUNTS_NAMED = 3;

/**
 * A wrong key shows at the start, not at the first message: every key that a secret is encrypted with has to be at hand. Access tokens
 * do not count. They can be fetched again, and one that cannot be read is taken for none.
 * @throws ConfigError MASTER_KEY_WRONG
 */
export async function proveMasterKey(database: Database, box: SecretBox): Promise<void> {
  const missing = findMissingKeys(box, await listKeys(database.prisma));
  if (missing !== null) throw missing;
}

/** What is to be said of the keys that secrets are encrypted with and that are not at hand; null when all are. */
export function findMissingKeys(box: SecretBox, used: readonly { keyId: string; accountIds: readonly string[] }[]): ConfigError | null {
  const keys = used.filter(({ keyId }) => !box.canOpen(keyId)).map(({ keyId, accountIds }) => `${keyId} (${toNames(accountIds)})`);
  if (keys.length === 0) return null;
  return new ConfigError(
    "MASTER_KEY_WRONG",
    `stored secrets are encrypted with a master key that is not at hand: ${keys.join(", ")}; ` +
      "start with that key in WXDESK_MASTER_KEY, or in WXDESK_MASTER_KEY_PREVIOUS during a rotation",
  );
}

function toNames(accountIds: readonly string[]): string {
  const names = accountIds.slice(0, ACCOUNTS_NAMED).map((id) => `"${id}"`);
  const others = accountIds.length - names.length;
  return `account${accountIds.length === 1 ? "" : "s"} ${names.join(", ")}${others === 0 ? "" : ` and ${others} more`}`;
}

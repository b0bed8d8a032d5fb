import { existsSync } from "node:fs";
import { join } from "node:path";
import { before } from "../base/before.ts";
import { ConfigError } from "../base/errors.ts";
import type { Config } from "../config.ts";
import { proveFolder } from "../keys/data-folder.ts";
import { lockFolder } from "../keys/folder-lock.ts";
import { findOpenToOthers } from "../keys/private-files.ts";
import { type DatabaseAddress, openDatabase } from "../store/database/database.ts";
import { proveWritable } from "../store/database/prove-writable.ts";
import { toStartProblem } from "../store/database/to-database-fault.ts";
import { inspect } from "../store/inspect.ts";
import { diagnoseAdminKey } from "./diagnose-admin-key.ts";
import { diagnoseMasterKey } from "./diagnose-master-key.ts";
import { diagnoseMessages } from "./diagnose-messages.ts";
import { diagnoseMigrations } from "./diagnose-migrations.ts";
import type { Finding } from "./finding.ts";

const WHY = "without its database the gateway does not start, and takes no message";

export interface StoreDiagnosis {
  findings: Finding[];
  /** Whether a gateway could be opened on it without making or changing anything: a database, a key, a table. */
  isReady: boolean;
}

/** The database and what is in it, as it stands, and that it takes what is written: no migration is applied, no folder and no key is made. */
export async function diagnoseStore(config: Config): Promise<StoreDiagnosis> {
  if (config.databaseUrl !== undefined) return diagnoseDatabase(config, { kind: "server", url: config.databaseUrl });
  const folder = join(config.dataDir, "postgres");
  if (!existsSync(folder)) {
    const problem = await proveFolder(config.dataDir).catch((error: unknown) => error);
    if (problem !== undefined) return { findings: [toDatabaseFinding(problem)], isReady: false };
    const what = `there is no database in ${config.dataDir} yet; the first start makes it`;
    return { findings: [{ name: "database", ok: true, what, why: "", remedy: null }], isReady: false };
  }
  const access = await diagnoseAccess(config.dataDir);
  try {
    const unlock = await lockFolder(config.dataDir);
    try {
      const { findings, isReady } = await diagnoseDatabase(config, { kind: "embedded", folder });
      return { findings: [...access, ...findings], isReady };
    } finally {
      await unlock();
    }
  } catch (error) {
    const finding = toLockFinding(error, config.dataDir);
    return { findings: [...access, finding], isReady: finding.ok === true };
  }
}

/** Whether other users of the machine can open the folder: only said when they can. */
async function diagnoseAccess(dataDir: string): Promise<Finding[]> {
  // A folder that cannot be listed cannot be locked either, which is said in its place.
  const open = await findOpenToOthers(dataDir).catch(() => []);
  if (open.length === 0) return [];
  const what = `other users of this machine can open ${open.length} files and folders of ${dataDir}`;
  const why = "they hold every message, and the key that opens every secret";
  return [{ name: "dataFolder", ok: "warning", what, why, remedy: "start the gateway: it closes them" }];
}

/** That somebody else has the folder is how it should be while a gateway runs. */
function toLockFinding(error: unknown, dataDir: string): Finding {
  const why = "an embedded database is open in one process only; what is in it is asked of the running gateway";
  if (error instanceof ConfigError && error.code === "DATA_FOLDER_IN_USE") {
    return { name: "database", ok: true, what: `a gateway is running on ${dataDir}`, why, remedy: null };
  }
  return toDatabaseFinding(error);
}

// Longer than a connection may take, and than a start of another process holds the lock of the migrations.
const DIAGNOSE_MS_MAX = 15_000;

async function diagnoseDatabase(config: Config, address: DatabaseAddress): Promise<StoreDiagnosis> {
  const startedAt = performance.now();
  try {
    const database = await openDatabase(address);
    try {
      const inTime = <T>(work: Promise<T>) => before(new Date(Date.now() + DIAGNOSE_MS_MAX), () => new Date(), work);
      const inspection = await inTime(inspect(database));
      await inTime(proveWritable(database.proof, inspection.migrations.pending.length === 0));
      const ms = Math.round(performance.now() - startedAt);
      const where = address.kind === "server" ? "the server of DATABASE_URL" : `the embedded database in ${config.dataDir}`;
      const findings: Finding[] = [
        { name: "database", ok: true, what: `${where} answers; it is PostgreSQL ${inspection.serverVersion}`, why: "", remedy: null, ms },
        ...diagnoseMigrations(inspection),
        ...(await diagnoseMasterKey(config, inspection)),
        ...diagnoseAdminKey(config, inspection),
        ...diagnoseMessages(inspection),
      ];
      const { migrations, admins } = inspection;
      return { findings, isReady: migrations.pending.length === 0 && (admins > 0 || config.adminKey !== undefined) };
    } finally {
      await database.close().catch(() => {});
    }
  } catch (error) {
    return { findings: [toDatabaseFinding(toStartProblem(error))], isReady: false };
  }
}

/** Only what is ours to word is shown: a database may quote its address, which holds a password. */
function toDatabaseFinding(error: unknown): Finding {
  const code = error instanceof Error && "code" in error ? String(error.code) : error instanceof Error ? error.name : "unknown";
  if (error instanceof ConfigError) {
    const [what = "", ...remedy] = error.message.split("; ");
    return { name: "database", ok: false, what, why: WHY, remedy: remedy.join("; ") || null };
  }
  const remedy = "check that the database is up and that its user may create tables; its own log tells more";
  return { name: "database", ok: false, what: `the database does not let itself be looked at (${code})`, why: WHY, remedy };
}

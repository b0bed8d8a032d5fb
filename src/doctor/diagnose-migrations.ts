import { TOO_OLD_REMEDY } from "../store/database/migrate.ts";
import type { Inspection } from "../store/inspect.ts";
import type { Finding } from "./finding.ts";

/** What a start of this build would do to the tables, or would not dare to. */
export function diagnoseMigrations({ migrations }: Pick<Inspection, "migrations">): Finding[] {
  const { pending, unknown, changed } = migrations;
  const name = "migrations";
  if (changed.length > 0) {
    const what = `applied from another file than this build has: ${changed.join(", ")}`;
    const why = "the tables may differ from what this build expects, so it refuses to start";
    return [{ name, ok: false, what, why, remedy: "start the build that belongs to this database" }];
  }
  if (unknown.some((each) => pending.some((first) => each < first))) {
    const what = `the tables were made by a build from before the first release: ${unknown.join(", ")}`;
    return [{ name, ok: false, what, why: "this build cannot take them over, so it refuses to start", remedy: TOO_OLD_REMEDY }];
  }
  if (unknown.length > 0) {
    const what = `this build does not know: ${unknown.join(", ")}`;
    const why = "a newer build has been at this database; an older one may write what the newer cannot read";
    return [{ name, ok: "warning", what, why, remedy: "run the newer build, or restore the backup from before it" }];
  }
  if (pending.length > 0) {
    const why = "the tables are older than this build";
    return [
      { name, ok: "warning", what: `to be applied: ${pending.join(", ")}`, why, remedy: "start the gateway: it applies them itself" },
    ];
  }
  return [{ name, ok: true, what: "every migration of this build is applied", why: "", remedy: null }];
}

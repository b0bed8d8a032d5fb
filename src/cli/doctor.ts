import type { Command } from "commander";
import { z } from "zod";
import { diagnose, diagnoseElsewhere, type GatewayApi } from "../doctor/diagnose.ts";
import { type Finding, isHealthy } from "../doctor/finding.ts";
import { type Api, call } from "./api/api.ts";
import { connect } from "./api/connect.ts";
import { type Cli, type GlobalOptions, present, withExamples } from "./cli.ts";
import { toTable } from "./terminal/table.ts";

export function addDoctorCommand(program: Command, cli: Cli): void {
  const command = program.command("doctor").summary("look at everything, and say what to do").description(DESCRIPTION);
  command.action(async () => {
    const options = command.optsWithGlobals<GlobalOptions>();
    let api: Api | undefined;
    const open = async (): Promise<GatewayApi> => {
      const opened = await connect(cli, options);
      api = opened;
      return { get: (path) => call(opened, "GET", path), post: (path) => call(opened, "POST", path) };
    };
    try {
      const findings = options.url === undefined ? await diagnose(cli.readEnvironment(), open) : await diagnoseElsewhere(await open());
      present(cli, command, findings, z.array(z.custom<Finding>()), renderFindings);
      if (!isHealthy(findings)) cli.failCheck();
    } finally {
      await api?.close();
    }
  });
  withExamples(command, [
    "wxdesk doctor",
    "wxdesk doctor --url https://gateway.example.com --key-file admin.key",
    "wxdesk doctor --json | jq '.[] | select(.ok == false)'",
  ]);
}

const DESCRIPTION = `Looks at settings, database, keys, clock and every account, and says what to do. Changes nothing; exits 1 when something is wrong.

With --url only the accounts of that gateway are tested: its settings and its database are looked at on its own machine.`;

const MARKS = { true: "ok", false: "FAILED", warning: "warning", pending: "not yet" } as const;

/** What was found, line by line; then, for all that is not as it should be, why that matters and what to do. */
export function renderFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ name, ok, what, account, ms }) => [
    MARKS[`${ok}`],
    name,
    account,
    ms === undefined ? null : `${ms} ms`,
    what,
  ]);
  const remedies = findings.filter(({ ok }) => ok !== true).map(toRemedy);
  const failed = findings.filter(({ ok }) => ok === false).length;
  const warnings = findings.filter(({ ok }) => ok === "warning").length;
  const pending = findings.filter(({ ok }) => ok === "pending").length;
  return [
    toTable(["", "CHECK", "ACCOUNT", "TIME", "FOUND"], rows),
    ...remedies,
    `${failed} failed, ${warnings} to look at,${pending === 0 ? "" : ` ${pending} not done yet,`} of ${findings.length}`,
  ].join("\n\n");
}

function toRemedy({ name, account, why, remedy }: Finding): string {
  const where = account === undefined ? name : `${name} (${account})`;
  return [`${where}:`, ...(why === "" ? [] : [` ${why}`]), ...(remedy === null ? [] : [`\n  → ${remedy}`])].join("");
}

import type { Books } from "./books.ts";
import { countFaults, type FaultCount } from "./count-faults.ts";
import type { ChaosOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import type { Fault } from "./plan-faults.ts";
import type { Figures, Finding } from "./verdict.ts";
import type { World } from "./world.ts";

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

export interface RunFigures {
  seed: number;
  plan: Plan;
  seconds: number;
  faultsDone: readonly Fault[];
  /** Of all replicas, in no order; null where they could not have clocks of their own. */
  clockReadingsMs: readonly number[] | null;
  /** Claims that passed to another process while their holder still worked on them. */
  overtaken: number;
  findings: readonly Finding[];
  /** How long this process stood still at most. */
  lagMsMax: number;
}

/** The table of one run. */
export function toTable(figures: Figures, run: RunFigures): string {
  const { seed, plan, seconds, faultsDone, clockReadingsMs, overtaken, findings, lagMsMax } = run;
  const count = (...kinds: Finding["kind"][]) => findings.filter(({ kind }) => kinds.includes(kind)).length;
  const rows: [string, string | number][] = [
    ["seed, plan", `${seed}, ${plan.digest}`],
    ["duration", `${seconds.toFixed(0)} s`],
    ["messages written / acknowledged", `${figures.messages} / ${figures.acknowledged}`],
    ["replies pushed / acknowledged", `${figures.pushes} / ${figures.pushesAcknowledged}`],
    ["notices", figures.notices],
    ["seen passively / asynchronously", `${figures.seenPassively} / ${figures.seenAsync}`],
    ["lost", count("lost")],
    ["doubled", count("doubled")],
    ["disordered, altered, invented", count("disordered", "altered", "invented")],
    ["unexplained, stuck", count("unexplained", "stuck")],
    ["uncertain", figures.uncertain],
    ["refused or given up, by plan", figures.failed],
    ...[...figures.endings].sort(([a], [b]) => a.localeCompare(b)).map(([code, times]): [string, number] => [`  with ${code}`, times]),
    ["repeated at the desk", figures.repeatedAtDesk],
    ["given to a callback given up", figures.intoTheVoid],
    ["crossed on the wire", figures.crossed],
    ["claims that passed on while worked on", overtaken],
    ["longest: acknowledged → at the desk", `${(figures.toDeskMsMax / 1_000).toFixed(1)} s`],
    ["longest: pushed → seen", `${(figures.toCustomerMsMax / 1_000).toFixed(1)} s`],
    ["longest: standstill of the suite", `${(lagMsMax / 1_000).toFixed(1)} s`],
    ["faults done / planned", `${faultsDone.length} / ${plan.faults.length}`],
    ...[...countFaults(plan.faults)].map(([name, planned]): [string, string] => [
      `  ${name}`,
      toDone(countFaults(faultsDone).get(name), planned),
    ]),
    ["starts with a clock of their own", clockReadingsMs === null ? NO_CLOCKS : clockReadingsMs.length],
    ...(clockReadingsMs === null ? [] : [["  seconds that they were off", toRange(clockReadingsMs)] satisfies [string, string]]),
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(38)} ${value}`).join("\n");
}

const NO_CLOCKS = "0: LEFT OUT, libfaketime is not installed";

function toDone(done: FaultCount | undefined, planned: FaultCount): string {
  const requests = planned.requests === 0 ? "" : `, of ${planned.requests} requests`;
  return `${done?.faults ?? 0} / ${planned.faults}${requests}`;
}

function toRange(valuesMs: readonly number[]): string {
  return [Math.min(...valuesMs), Math.max(...valuesMs)].map((ms) => (ms / 1_000).toFixed(0)).join(" to ");
}

/** The plan in three lines, with how many faults of each kind there are. */
export function toSummary({ faults, clocksMs, digest }: Plan, { seed, messages, customers, replicas }: ChaosOptions): string {
  const kinds = [...countFaults(faults)].map(
    ([name, { faults: times, requests }]) => `${times} × ${name}${requests === 0 ? "" : ` (${requests} requests)`}`,
  );
  const restarts = faults.filter(({ kind }) => kind === "kill" || kind === "roll").length;
  return [
    `seed ${seed}: ${messages} messages of ${customers} customers, ${replicas} replicas, ${faults.length} faults, plan ${digest}`,
    `  ${kinds.join(", ")}`,
    `  clocks: ${clocksMs.map((ms) => `${ms / 1_000} s`).join(", ")} off at first, others after each of ${restarts} restarts`,
  ].join("\n");
}

const CONVERSATIONS_MAX = 5;

/** The conversations in which something went wrong: both books side by side, and every attempt of the messages concerned. */
export async function sayOffenders(findings: readonly Finding[], { customers }: Books, { api }: World): Promise<void> {
  const openIds = [...new Set(findings.map(({ openId }) => openId))];
  for (const openId of openIds.slice(0, CONVERSATIONS_MAX)) {
    const book = customers.find((customer) => customer.openId === openId);
    if (book === undefined) continue;
    say(`\n${openId}`);
    const events = [
      ...book.sent.map(({ from, to, text, acknowledged, tries, reply }) => ({
        at: to,
        line: `wrote     ${text} (${acknowledged ? "acknowledged" : "NOT acknowledged"}, ${tries} tries, ${to - from} ms, reply ${reply})`,
      })),
      ...book.atDesk.map(({ at, text, msgId }) => ({ at, line: `at desk   ${text} (${msgId})` })),
      ...book.pushed.map(({ acknowledgedAt, text, tries }) => ({ at: acknowledgedAt ?? 0, line: `pushed    ${text} (${tries} tries)` })),
      ...book.seen.map(({ at, text, way }) => ({ at, line: `saw       ${text} (${way})` })),
    ];
    for (const { at, line } of events.sort((a, b) => a.at - b.at)) say(`  ${new Date(at).toISOString()} ${toOneLine(line)}`);
    for (const { id, direction, state, way, errorCode, text } of book.stored) {
      say(`  ${id} ${direction} ${state} ${way ?? ""} ${errorCode ?? ""} ${toOneLine(text)}`);
    }
  }
  for (const { messageId } of findings) {
    if (messageId !== undefined) say(JSON.stringify(await api("GET", `/messages/${messageId}`)));
  }
  if (openIds.length > CONVERSATIONS_MAX) say(`… and ${openIds.length - CONVERSATIONS_MAX} more conversations`);
}

function toOneLine(text: string): string {
  return text.replaceAll("\n", "⏎").slice(0, 160);
}

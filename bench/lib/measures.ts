import { atLeast, atMost, format, formatSpread, type Report, type Table } from "./report.ts";
import type { Spread } from "./statistics.ts";

interface Measure {
  benchmark: string;
  text: string;
  goal: { atMost: number } | { atLeast: number };
  /** It says something only on a machine with so many cores. */
  cores?: number;
}

/** Costs and rates that the core is held to, in the order of their table. Each is a ratio within one run, or an amount per message. */
export const MEASURES = {
  acceptCpu: { benchmark: "accept", text: "accept: CPU of the gateway ÷ that of (e)", goal: { atMost: 1.6 } },
  acceptServerCpu: { benchmark: "accept", text: "accept: CPU of gateway and Postgres ÷ that of (b)", goal: { atMost: 1.1 } },
  acceptPerCoreSecond: {
    benchmark: "accept",
    text: "accept: messages per core-second of gateway and Postgres ÷ those of (a)",
    goal: { atLeast: 0.3 },
  },
  forwardCpu: { benchmark: "relay", text: "callback → desk: CPU of gateway and Postgres ÷ that of the bare loop", goal: { atMost: 3 } },
  pushCpu: { benchmark: "relay", text: "push → sent: CPU of gateway and Postgres ÷ that of the bare loop", goal: { atMost: 4 } },
  acceptWaiting: { benchmark: "accept", text: "accept: throughput with default settings ÷ acknowledged at once", goal: { atLeast: 0.7 } },
  forwardWal: { benchmark: "relay", text: "callback → desk: bytes of write-ahead log per message", goal: { atMost: 1_400 } },
  enqueue: { benchmark: "queue", text: "queue: enqueued per second ÷ graphile-worker", goal: { atLeast: 1.5 } },
  work: { benchmark: "queue", text: "queue: claimed and settled per second ÷ the faster peer", goal: { atLeast: 10 } },
  acceptThroughput: {
    benchmark: "accept",
    text: "accept: throughput on two shared cores ÷ that of (a)",
    goal: { atLeast: 0.35 },
    cores: 2,
  },
  forwardThroughput: {
    benchmark: "relay",
    text: "callback → desk: throughput on two shared cores ÷ that of the bare loop",
    goal: { atLeast: 0.4 },
    cores: 2,
  },
  deskAway: {
    benchmark: "growth",
    text: "callback → desk: CPU with 100,000 messages waiting for a dead desk ÷ without",
    goal: { atMost: 1.1 },
  },
} as const satisfies Record<string, Measure>;

/** The measures that a run took. A value that could not be taken is absent or not a finite number. */
export type Measured = { [Name in keyof typeof MEASURES]?: Spread | undefined };

type MeasuredReport = Pick<Report, "name" | "machine" | "measures">;

const NOT_MEASURED = "–";

/**
 * The table of measures of these reports: the rows of the benchmarks that ran. Null without any, as with reports from before there were
 * measures.
 */
export function toMeasuresTable(reports: readonly MeasuredReport[]): Table | null {
  const rows = (Object.keys(MEASURES) as (keyof Measured)[]).flatMap((name) => {
    const report = reports.find((each) => each.name === MEASURES[name].benchmark);
    return report?.measures === undefined ? [] : [toRow(MEASURES[name], report.measures[name], report.machine.cores)];
  });
  return rows.length === 0 ? null : { title: "Measures", columns: ["measure", "goal", "measured", "met"], rows };
}

function toRow({ text, goal, cores }: Measure, spread: Spread | undefined, coresOfMachine: number): string[] {
  const [sign, wanted] = "atMost" in goal ? ["≤", goal.atMost] : ["≥", goal.atLeast];
  const wantedText = `${sign} ${format(wanted)}`;
  const isMeasured = spread !== undefined && Number.isFinite(spread.median) && (cores ?? coresOfMachine) === coresOfMachine;
  if (!isMeasured) return [text, wantedText, NOT_MEASURED, NOT_MEASURED];
  const { isMet, missedBy } = "atMost" in goal ? atMost(text, spread.median, wanted) : atLeast(text, spread.median, wanted);
  return [text, wantedText, formatSpread(spread), isMet ? "met" : `missed, ${missedBy}`];
}

import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in hundredths of a second, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;

/**
 * Processor milliseconds that this process and what it has started used so far. What has ended counts with its parent. NaN where there
 * is no /proc.
 */
export function cpuMs(pid: number): number {
  const [own = Number.NaN, ...rest] = treeOf(pid).map(cpuMsOf);
  // One that ends between the listing and the reading has just been added to its parent.
  return rest.reduce((sum, ms) => sum + (Number.isNaN(ms) ? 0 : ms), own);
}

/** A process with all that it has started and that still runs. */
function treeOf(pid: number): number[] {
  const parents = new Map(listPids().map((each) => [each, Number(readStat(each)?.[1] ?? 0)]));
  const children = (parent: number): number[] => [...parents].flatMap(([each, of]) => (of === parent ? [each, ...children(each)] : []));
  return [pid, ...children(pid)];
}

/** Resident memory in MiB; NaN where there is no /proc. */
export function residentMib(pid: number): number {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return line ? Number(line[1]) / 1024 : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

function cpuMsOf(pid: number): number {
  const stat = readStat(pid);
  if (stat === null) return Number.NaN;
  const [user, system, childrenUser, childrenSystem] = stat.slice(11, 15).map(Number);
  return (((user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0)) * 1_000) / TICKS_PER_SECOND;
}

/** The fields behind the command's name, which may hold blanks: state, parent, … */
function readStat(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

function listPids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

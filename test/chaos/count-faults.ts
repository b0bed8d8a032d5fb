import type { Fault } from "./plan-faults.ts";

export interface FaultCount {
  faults: number;
  /** The requests that they spoil. */
  requests: number;
}

/** How many faults of each kind there are, by name. */
export function countFaults(faults: readonly Fault[]): Map<string, FaultCount> {
  const counts = new Map<string, FaultCount>();
  for (const fault of faults) {
    const { faults: before, requests } = counts.get(toName(fault)) ?? { faults: 0, requests: 0 };
    counts.set(toName(fault), { faults: before + 1, requests: requests + (fault.kind === "spoil" ? fault.times : 0) });
  }
  return new Map([...counts].sort(([a], [b]) => a.localeCompare(b)));
}

function toName(fault: Fault): string {
  if (fault.kind === "postgres") return `postgres ${fault.mode}`;
  if (fault.kind === "freeze") return `freeze for ${fault.standsMs / 1_000} s`;
  if (fault.kind !== "spoil") return fault.kind;
  const { target, how } = fault;
  const detail = how.kind === "status" ? ` ${how.status}` : how.kind === "errcode" ? ` ${how.errcode}` : "";
  return `${target} ${how.kind}${detail}`;
}

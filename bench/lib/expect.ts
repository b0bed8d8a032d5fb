import { setTimeout as sleep } from "node:timers/promises";

/** A figure about work that was not done is worse than none: what was measured is checked. */
export function expectEqual(what: string, actual: unknown, wanted: unknown): void {
  if (actual !== wanted) throw new Error(`${what}: ${String(actual)}, expected ${String(wanted)}`);
}

/** Looks until it is true. */
export async function until(what: string, isSo: () => Promise<boolean>, secondsMax: number, everyMs = 20): Promise<void> {
  for (const end = performance.now() + secondsMax * 1_000; performance.now() < end; await sleep(everyMs)) {
    if (await isSo()) return;
  }
  throw new Error(`${what}: not so after ${secondsMax} s`);
}

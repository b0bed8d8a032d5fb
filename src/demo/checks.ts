import { setTimeout as pause } from "node:timers/promises";

const PATIENCE_MS = 5_000;
const POLL_MS = 20;

export function requireEqual(actual: unknown, expected: unknown, what: string): void {
  const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== shouldBe) throw new Error(`${what}: expected ${shouldBe}, got ${is}`);
}

/** Reads until the check holds: what was delivered a moment ago is settled a moment later. Throws what the last check threw. */
export async function readUntil<Value>(read: () => Promise<Value>, check: (value: Value) => void): Promise<Value> {
  const givesUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    try {
      check(value);
      return value;
    } catch (error) {
      if (performance.now() > givesUpAt) throw error;
    }
    await pause(POLL_MS);
  }
}

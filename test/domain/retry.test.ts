import fc from "fast-check";
import { expect, test } from "vitest";
import { retryPauseMs } from "../../src/domain/retry.ts";

const failures = fc.integer({ min: 1, max: 100_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("pauses grow from one second to ten minutes, and the jitter takes at most half of one", () => {
  fc.assert(
    fc.property(failures, random, (count, chance) => {
      const pause = retryPauseMs(count, chance);
      const full = Math.min(600_000, 1_000 * 2 ** Math.min(count - 1, 30));
      expect(pause).toBeGreaterThanOrEqual(full / 2);
      expect(pause).toBeLessThanOrEqual(full);
    }),
  );
});

test("with the same chance a later pause is never shorter, and before the longest it is longer", () => {
  fc.assert(
    fc.property(failures, random, (count, chance) => {
      const [pause, next] = [retryPauseMs(count, chance), retryPauseMs(count + 1, chance)];
      if (count < 10) expect(next).toBeGreaterThan(pause);
      else expect(next).toBeGreaterThanOrEqual(pause);
    }),
  );
});

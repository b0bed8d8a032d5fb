import { expect, test } from "vitest";
import { createIntake } from "../../src/domain/intake.ts";

test("is pressed while more waits than one statement stores, and no longer when it is stored, or refused", async () => {
  const intake = createIntake();
  const ends: ((error?: Error) => void)[] = [];
  const store = intake.counted(
    (input: number) => new Promise<number>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve(input)))),
  );
  const waiting = Array.from({ length: 101 }, (_, index) => store(index));
  expect(intake.isPressed()).toBe(true);
  ends[0]?.(new Error("refused"));
  await expect(waiting[0]).rejects.toThrow("refused");
  expect(intake.isPressed()).toBe(false);
  void store(101);
  expect(intake.isPressed()).toBe(true);
  ends[1]?.();
  expect(await waiting[1]).toBe(1);
  expect(intake.isPressed()).toBe(false);
});

import { createRandom } from "../support/random.ts";

/** Random choices that follow from a seed alone. */
export interface Dice {
  whole(min: number, max: number): number;
  chance(share: number): boolean;
  pick<T>(from: readonly T[]): T;
}

export function createDice(seed: number): Dice {
  const random = createRandom(seed);
  const whole = (min: number, max: number) => min + Math.floor(random() * (max - min + 1));
  return {
    whole,
    chance: (share) => random() < share,
    pick: <T>(from: readonly T[]): T => {
      const picked = from[whole(0, from.length - 1)];
      if (picked === undefined) throw new Error("there is nothing to pick from");
      return picked;
    },
  };
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

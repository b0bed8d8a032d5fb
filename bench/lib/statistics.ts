/** What several rounds of one measurement gave. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @throws RangeError when there is nothing to summarise */
export function toSpread(values: readonly number[]): Spread {
  const sorted = toSorted(values);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) throw new RangeError("no values to summarise");
  return { median: percentileOf(sorted, 50), min, max };
}

/**
 * The value below which that share of the values lies, by linear interpolation between the two nearest.
 * @throws RangeError when there are none
 */
export function percentile(values: readonly number[], percent: number): number {
  return percentileOf(toSorted(values), percent);
}

/** Pairs each round with the same round of the other, so that what disturbed the machine meanwhile disturbs both sides. */
export function toRatio(ours: readonly number[], theirs: readonly number[]): Spread {
  return toSpread(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

function percentileOf(sorted: readonly number[], percent: number): number {
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new RangeError("no values to summarise");
  return below + (above - below) * (place - Math.floor(place));
}

function toSorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

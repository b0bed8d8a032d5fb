/**
 * Runs every contender once in each round, A B C A B C …, so that a machine that grows slower or is shared with others treats all alike.
 * Every second round goes backwards: nobody always comes after the same neighbour.
 */
export async function alternate<Name extends string, Result>(
  contenders: readonly Name[],
  rounds: number,
  run: (name: Name, round: number) => Promise<Result>,
): Promise<Record<Name, Result[]>> {
  const results = Object.fromEntries(contenders.map((name) => [name, []])) as unknown as Record<Name, Result[]>;
  for (const { name, round } of toOrder(contenders, rounds)) results[name].push(await run(name, round));
  return results;
}

export function toOrder<Name>(contenders: readonly Name[], rounds: number): { name: Name; round: number }[] {
  return Array.from({ length: rounds }, (_, round) => {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    return order.map((name) => ({ name, round }));
  }).flat();
}

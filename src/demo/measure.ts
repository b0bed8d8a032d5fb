import type { Connected } from "./accounts.ts";
import type { Stagehand } from "./print.ts";

const CALLBACKS = 20;

/** How long WeChat waits when nobody has anything to say: stored, handed to a desk that answers at once, acknowledged. */
export async function measureAcknowledgement({ wechat, desk }: Connected, hand: Stagehand): Promise<void> {
  desk.setAnswer("*", { status: "queueing", turn: 1, agent_name: "", msg: "" });
  await hand.step(
    { from: "WeChat", to: "gateway", what: `${CALLBACKS} callbacks of new customers, one after another` },
    async () => {
      const callbacks: number[] = [];
      const desks: number[] = [];
      for (let number = 0; number < CALLBACKS; number += 1) {
        const { tries, acknowledged, reply } = await wechat.sendText(`oDemoNewcomer${number}`, "hello");
        if (!acknowledged || reply !== null || tries.length !== 1) throw new Error(`callback ${number + 1} was not simply acknowledged`);
        callbacks.push(tries[0]?.durationMs ?? Number.NaN);
        desks.push(await roundTrip(desk.url));
      }
      return { callbacks, desks };
    },
    ({ callbacks, desks }) =>
      `acknowledged in ${ms(median(callbacks))} median, ${ms(Math.max(...callbacks))} at most (the desk alone: ${ms(median(desks))})`,
  );
}

/** The desk's own part of a callback: its channel test, which checks a signature and answers. */
async function roundTrip(deskUrl: string): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`${deskUrl}/test`);
  await response.text();
  return performance.now() - startedAt;
}

function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

import { expect, test } from "vitest";
import { measureAccept, measureGrowth, measureQueue, measureRelay } from "../../bench/lib/measured.ts";
import type { Measured } from "../../bench/lib/measures.ts";

const round = (perSecond: number, cpuUs: number, postgresUs: number) => ({ perSecond, cpuUs, postgresUs });

function medians(measured: Measured): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(measured).map(([name, spread]) => [name, spread?.median]));
}

test("accept: the gateway alone beside batched answers, with Postgres beside (b) and (a), each round by itself", () => {
  const measured = measureAccept({
    gateway: [round(9_000, 80, 40), round(4_500, 160, 80), round(9_000, 80, 40)],
    waiting: [round(3_000, 0, 0), round(1_500, 0, 0), round(2_250, 0, 0)],
    bare: [round(90_000, 12, 0), round(45_000, 24, 0), round(90_000, 12, 0)],
    codecs: [round(0, 40, 0), round(0, 80, 0), round(0, 40, 0)],
    batched: [round(0, 32, 0), round(0, 64, 0), round(0, 32, 0)],
  });
  expect(measured.acceptWaiting).toEqual({ median: 3_000 / 9_000, min: 2_250 / 9_000, max: 3_000 / 9_000 });
  expect(medians(measured)).toMatchObject({ acceptCpu: 2.5, acceptServerCpu: 3, acceptThroughput: 0.1 });
  expect(measured.acceptPerCoreSecond?.median).toBeCloseTo(0.1, 9);
});

test("relay: gateway and Postgres beside loop and Postgres, and the log of callbacks only", () => {
  const measured = measureRelay({
    forward: [{ ...round(4_000, 200, 100), walBytes: 3_900 }],
    forwardLoop: [{ ...round(20_000, 26, 4), walBytes: Number.NaN }],
    push: [{ ...round(0, 210, 150), walBytes: 5_000 }],
    pushLoop: [{ ...round(0, 20, 4), walBytes: Number.NaN }],
  });
  expect(medians(measured)).toEqual({ forwardCpu: 10, pushCpu: 15, forwardWal: 3_900, forwardThroughput: 0.2 });
});

test("queue: the faster peer is that of each round, and unknown when one was left out", () => {
  const rates = (enqueuedPerSecond: number, workedPerSecond: number) => ({ enqueuedPerSecond, workedPerSecond });
  const wxdesk = [rates(100, 60), rates(100, 60)];
  const graphile = [rates(50, 3), rates(50, 6)];
  const boss = [rates(80, 6), rates(80, 2)];
  expect(medians(measureQueue({ wxdesk, "pg-boss": boss, "graphile-worker": graphile }))).toEqual({ enqueue: 2, work: 10 });
  const { enqueue, work } = measureQueue({ wxdesk, "graphile-worker": graphile });
  expect(enqueue?.median).toBe(2);
  expect(work?.median).toBeNaN();
  expect(medians(measureQueue({ wxdesk, "pg-boss": boss }))).toEqual({ enqueue: undefined, work: undefined });
});

test("growth: processor time of gateway and Postgres together", () => {
  const { deskAway } = measureGrowth({ waiting: [{ cpuUs: 400, postgresUs: 200 }], without: [{ cpuUs: 300, postgresUs: 200 }] });
  expect(deskAway?.median).toBe(1.2);
});

test("without a server there is nothing to measure", () => {
  const embedded = { ...round(1_000, 500, 0), walBytes: Number.NaN };
  expect(medians(measureAccept({ bare: [embedded], codecs: [embedded], batched: [embedded] }))).toEqual({
    acceptCpu: undefined,
    acceptServerCpu: undefined,
    acceptPerCoreSecond: undefined,
    acceptWaiting: undefined,
    acceptThroughput: undefined,
  });
  expect(medians(measureRelay({ forward: [embedded], push: [embedded] }))).toMatchObject({ forwardCpu: undefined, forwardWal: Number.NaN });
});

import type { Load } from "./lib/drive.ts";
import { expectEqual, until } from "./lib/expect.ts";
import { atMost, type Findings, format, type Goal, type Table } from "./lib/report.ts";
import { type Scene, type SceneOptions, startScene } from "./lib/scene.ts";
import { CONNECTIONS, type Loader, type Stage, startLoader } from "./lib/stage.ts";

const SIZES = {
  quick: { seconds: 3, warmUp: 500, burst: 1_000, messages: 2_000 },
  normal: { seconds: 15, warmUp: 5_000, burst: 10_000, messages: 8_000 },
  full: { seconds: 60, warmUp: 10_000, burst: 10_000, messages: 30_000 },
};
const CONTACTS = 1_000;
const BURST_SECONDS = 2;
/** Behind them requests queue in the load's own process, and the time counts all the same. */
const CONNECTIONS_MAX = 400;
const P999_MS_MAX = 1_000;
const SLOW_DESK_MS = 3_000;

interface Situation {
  title: string;
  perSecond: number;
  seconds: number;
  scene?: SceneOptions;
  deskMs?: number;
}

/** How long WeChat waits for its 200, by the clock of the one who calls, whatever the gateway is busy with. */
export async function latency(stage: Stage): Promise<Findings> {
  const { seconds, burst } = SIZES[stage.mode];
  const loader = await startLoader();
  const maximum = await measureMaximum(stage, loader);
  const situations: Situation[] = [
    { title: "50 per second", perSecond: 50, seconds },
    { title: "200 per second", perSecond: 200, seconds },
    { title: `80 % of the maximum of ${format(maximum)} per second`, perSecond: maximum * 0.8, seconds },
    { title: `burst: ${format(burst)} in ${BURST_SECONDS} s`, perSecond: burst / BURST_SECONDS, seconds: BURST_SECONDS },
    { title: "50 per second, the desk takes 3 s per answer", perSecond: 50, seconds, deskMs: SLOW_DESK_MS },
    { title: "50 per second, the desk is down", perSecond: 50, seconds, scene: { isDeskDown: true } },
  ];
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const situation of situations) {
    stage.say(`  ${situation.title}`);
    const { latencyMs, sent, taken } = await runSituation(situation, stage, loader);
    const { p50, p99, p999, max } = latencyMs;
    rows.push([situation.title, format(sent), format(p50), format(p99), format(p999), format(max), format(sent - taken)]);
    goals.push(atMost(`latency: p99.9 below 1,000 ms, ${situation.title}`, p999, P999_MS_MAX));
    goals.push(atMost(`latency: nothing refused, ${situation.title}`, sent - taken, 0));
  }
  await loader.end();
  const table: Table = {
    title: "Latency of the acknowledgement, stored before the 200, in milliseconds",
    columns: ["load", "messages", "p50", "p99", "p99.9", "longest", "refused"],
    rows,
    notes: ["each request is sent when its moment has come, and its time counts from that moment; acknowledged at once (passiveWaitMs 0)"],
  };
  return { tables: [table], goals };
}

/** What the same gateway takes, forwarding as it goes, when the load waits for its answers. */
async function measureMaximum(stage: Stage, loader: Loader): Promise<number> {
  stage.say("  the maximum");
  const scene = await startWarm(stage, loader, {});
  await loader.makeCallbacks({ first: SIZES[stage.mode].warmUp, count: SIZES[stage.mode].messages, contacts: CONTACTS });
  const { taken, seconds } = await loader.closed({ addresses: scene.addresses, connections: CONNECTIONS, repeats: false, secondsMax: 10 });
  await scene.end();
  return taken / seconds;
}

async function runSituation(
  { perSecond, seconds, scene: options = {}, deskMs = 0 }: Situation,
  stage: Stage,
  loader: Loader,
): Promise<Load> {
  const scene = await startWarm(stage, loader, options);
  await scene.outside.begin(deskMs);
  await loader.makeCallbacks({ first: SIZES[stage.mode].warmUp, count: Math.round(perSecond * seconds), contacts: CONTACTS });
  const load = await loader.open({ addresses: scene.addresses, perSecond, connectionsMax: CONNECTIONS_MAX });
  const { stored } = await scene.end();
  // What was refused may have been stored all the same; what was taken has been.
  if (load.taken === load.sent) expectEqual("messages stored", stored, SIZES[stage.mode].warmUp + load.taken);
  else if (stored < SIZES[stage.mode].warmUp + load.taken)
    throw new Error(`only ${stored} of ${SIZES[stage.mode].warmUp + load.taken} taken are stored`);
  return load;
}

async function startWarm(stage: Stage, loader: Loader, options: SceneOptions): Promise<Scene> {
  const scene = await startScene(stage, options);
  const { warmUp } = SIZES[stage.mode];
  await scene.outside.begin();
  await loader.makeCallbacks({ first: 0, count: warmUp, contacts: CONTACTS });
  await loader.closed({ addresses: scene.addresses, connections: CONNECTIONS, repeats: false, secondsMax: 60, insists: true });
  const isForwarded = async () => (await scene.outside.counts()).submissions >= warmUp;
  if (!options.isDeskDown) await until("the first messages at the desk", isForwarded, 60);
  return scene;
}

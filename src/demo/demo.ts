import { connectAccounts } from "./accounts.ts";
import { measureAcknowledgement } from "./measure.ts";
import { playShop, playStaff } from "./play.ts";
import { createStagehand, type Stagehand } from "./print.ts";
import { type Stage, setStage } from "./stage.ts";

/** `npm run demo [-- --once]`: plays one whole conversation through a real gateway, then stays up, or with `--once` exits 0 or 1. */
const isOnce = process.argv.includes("--once");
const stopAsked = new Promise<"stopped">((resolve) => {
  // Not `once`: Ctrl-C reaches us from the terminal and again through npm, and the second must not end us before all is removed.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => resolve("stopped"));
});

const hand = createStagehand(process.stdout);
hand.say("wxdesk demo: a gateway on embedded Postgres between an emulated WeChat and emulated desks. Starting…");
const stage = await setStage();
try {
  const ending = await Promise.race([play(stage, hand), stopAsked]);
  const { passed, failed } = hand.score();
  hand.say(`\n${passed} steps passed, ${failed} failed`);
  process.exitCode = ending === "played" && failed === 0 ? 0 : 1;
  if (ending === "played" && !isOnce) {
    showAddresses(stage, hand);
    await stopAsked;
  }
} finally {
  hand.curtain();
  await stage.close();
}
// A play that was interrupted still waits for its next line.
process.exit();

async function play(stage: Stage, hand: Stagehand): Promise<"played"> {
  const accounts = await hand.scene("Setting up", () => connectAccounts(stage, hand));
  if (accounts === null) return "played";
  const { shop, staff } = accounts;
  await hand.scene("A customer of the Official Account", () => playShop(shop, stage.operator, hand));
  await hand.scene("A member at the WeCom app", () => playStaff(staff, stage.operator, hand));
  await hand.scene("How long WeChat waits when there is nothing to say", () => measureAcknowledgement(shop, hand));
  return "played";
}

function showAddresses({ address, adminKey, wechat, desks, dataDir, practice }: Stage, { say }: Stagehand): void {
  say(`
  API              ${address}/api/v1
  API description  ${address}/docs
  emulated WeChat  ${wechat.url}
  emulated desks   ${desks.shop.url} (shop)
                   ${desks.staff.url} (staff)
  admin key        ${adminKey}

Look around, in another terminal in this folder:

  export WXDESK_DATA_DIR=${dataDir}
  npx wxdesk conversation list
  curl -H "Authorization: Bearer ${adminKey}" "${address}/api/v1/conversations?limit=5"

Connect an account yourself: ${practice.url}

Ctrl-C stops everything and removes its data.`);
}

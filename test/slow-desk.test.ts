import { expect, test } from "vitest";
import { runSql } from "./redaction/stage.ts";
import { eventually, type Gateway, startGateway } from "./support/gateway.ts";

/** More than a worker has slots for. */
const CUSTOMERS = Array.from({ length: 260 }, (_, index) => `oSlow${index}`);

const SLOW_PATH = "/spa1/im_callback";
const AT_ONCE = { replies: { passiveWaitMs: 0, notices: "never" } };

/** A request to the held desk ends when the test lets it, and at no other time; the API takes no such number. */
const DESK_TIMEOUT_MS = 300_000;
const LEASE_MS = 600_000;

const withoutDeskTimeout = (gateway: Gateway) =>
  runSql(gateway, `UPDATE accounts SET settings = jsonb_set(settings, '{desk,timeoutMs}', '${DESK_TIMEOUT_MS}'), version = version + 1`);

const countSlow = async (gateway: Gateway, state: string) => {
  const sql = `SELECT count(*)::int AS messages FROM message_states WHERE account_id = 'slow' AND direction = 'inbound' AND state = '${state}'`;
  return (await runSql(gateway, sql))[0]?.messages;
};

function createHold() {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { until, release: () => release() };
}

test("a desk that answers nothing holds up no other account, on the same host too, and no agent's reply of its own account", async () => {
  const gateway = await startGateway({ leaseMs: LEASE_MS });
  const { desk, wechat } = gateway;
  const slow = await gateway.connect("official_account", { id: "slow", ...AT_ONCE });
  const url = desk.url.replace("/spa1/", "/spa2/");
  const quick = await gateway.connect("wecom", { id: "quick", desk: { url }, ...AT_ONCE });
  await withoutDeskTimeout(gateway);
  const hold = createHold();
  desk.misbehave({ kind: "held", until: hold.until, path: SLOW_PATH });
  await Promise.all(CUSTOMERS.map((openId) => slow.wechat.sendText(openId, "hello")));

  await quick.wechat.sendText("oQuick", "hello");
  await desk.waitForReceived("oQuick", 1);
  desk.connectPush(quick.pushUrl);
  await desk.pushText("oQuick", "quick reply");
  expect(await wechat.waitForSeen("oQuick", 1)).toMatchObject([{ way: "async", text: "quick reply" }]);
  desk.connectPush(slow.pushUrl);
  for (const openId of [CUSTOMERS[0] ?? "", CUSTOMERS.at(-1) ?? ""]) {
    await desk.pushText(openId, "reply of the slow desk");
    expect(await wechat.waitForSeen(openId, 1)).toMatchObject([{ way: "async", text: "reply of the slow desk" }]);
  }
  expect(await countSlow(gateway, "received")).toBe(CUSTOMERS.length);

  hold.release();
  await eventually(
    "all messages to be with the slow desk",
    () => countSlow(gateway, "forwarded"),
    (count) => count === CUSTOMERS.length,
  );
  expect(CUSTOMERS.filter((openId) => desk.received(openId).length !== 1)).toEqual([]);
});

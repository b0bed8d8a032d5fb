import { describe, expect, test } from "vitest";
import { eventually } from "../support/gateway.ts";
import { PROCESSES_MS, startPair } from "./pair.ts";

/*
 * A claim in memory has no lease: it lasts as long as its process sends heartbeats. These processes end, or stand still, while they hold
 * one. Only a server has several processes.
 */

const QUEUEING = { status: "queueing", turn: 1, agent_name: "", msg: "" };
const SEND = "/cgi-bin/message/custom/send";
/** Another process has to notice that the holder is dead. */
const BACK_MS = 60_000;

type Pair = Awaited<ReturnType<typeof startPair>>;

const startStage = async () => {
  const pair = await startPair({ account: { replies: { passiveWaitMs: 0, notices: "never" } } });
  pair.desk.setAnswer("*", QUEUEING);
  return pair;
};

/** Without a due moment: no lease will end this claim. */
const untilHeldInMemory = ({ query }: Pair, direction: "inbound" | "outbound") =>
  eventually(
    "a claim in memory",
    () =>
      query<{ holder: string }>(`SELECT ${direction}_holder AS holder FROM conversations
      WHERE ${direction}_holder IS NOT NULL AND ${direction}_due_at IS NULL`),
    ({ length }) => length === 1,
  );

const untilForwarded = ({ query }: Pair, count: number) =>
  eventually(
    `${count} messages to be forwarded`,
    () => query("SELECT FROM messages WHERE state = 'forwarded'"),
    ({ length }) => length === count,
    BACK_MS,
  );

/** The first process holds the customer's message, which the desk has and does not answer. */
async function holdAtDesk(pair: Pair, text = "hello") {
  const release = pair.desk.misbehave({ kind: "late", ms: 600_000, times: 1 });
  pair.account.wechat.callbackUrl = pair.callbackUrls[0];
  expect(await pair.account.wechat.sendText("oA", text)).toMatchObject({ acknowledged: true });
  await pair.desk.waitForReceived("oA", 1);
  await untilHeldInMemory(pair, "inbound");
  pair.account.wechat.callbackUrl = pair.callbackUrls[1];
  return release;
}

describe.runIf(process.env.TEST_DATABASE_URL)("a process that holds a queue in memory", () => {
  test(
    "is killed: another process hands its message over again, with the same id, and then those behind it, in order",
    async () => {
      const pair = await startStage();
      await holdAtDesk(pair);
      await pair.account.wechat.sendText("oA", "second");
      await pair.processes[0].kill();
      await pair.account.wechat.sendText("oA", "third");
      const [first, ...others] = await pair.desk.waitForReceived("oA", 4, BACK_MS);
      expect(others.map(({ text }) => text)).toEqual(["hello", "second", "third"]);
      expect(others[0]).toMatchObject({ msgId: first?.msgId, repeated: true });
      await untilForwarded(pair, 3);
    },
    PROCESSES_MS,
  );

  test(
    "stands still: another process takes over, and the late answer of the first changes nothing",
    async () => {
      const pair = await startStage();
      const release = await holdAtDesk(pair);
      pair.processes[0].freeze();
      await pair.desk.waitForReceived("oA", 2, BACK_MS);
      await untilForwarded(pair, 1);
      const tried = "SELECT attempts, tried_at, settled_at FROM messages";
      const before = await pair.query(tried);
      release();
      pair.processes[0].thaw();
      // The process that stood still works again: this one is proof that it has had the time.
      pair.account.wechat.callbackUrl = pair.callbackUrls[0];
      await pair.account.wechat.sendText("oB", "and now?");
      await pair.desk.waitForReceived("oB", 1, BACK_MS);
      await untilForwarded(pair, 2);
      expect(await pair.query(`${tried} WHERE text = 'hello'`)).toEqual(before);
      expect(pair.desk.received("oA").map(({ text }) => text)).toEqual(["hello", "hello"]);
    },
    PROCESSES_MS,
  );

  test(
    "was killed while it sent a reply: the reply waits for the end of the lease, then it is uncertain, and the next one goes out",
    async () => {
      const pair = await startStage();
      await pair.account.wechat.sendText("oA", "hello");
      await untilForwarded(pair, 1);
      pair.wechat.misbehave({ kind: "late", ms: 600_000, path: SEND, times: 1 });
      pair.desk.connectPush(pair.pushUrls[0]);
      expect((await pair.desk.pushText("oA", "one")).status).toBe(200);
      await pair.wechat.waitForSeen("oA", 1);
      await untilHeldInMemory(pair, "outbound");
      expect((await pair.desk.pushText("oA", "two")).status).toBe(200);
      await pair.processes[0].kill();
      const [freed] = await eventually(
        "the dead process's claim to have an end",
        () =>
          pair.query<{ lease_ms: number }>(`SELECT EXTRACT(epoch FROM outbound_due_at - outbound_begun_at)::float8 * 1000 AS lease_ms
          FROM conversations WHERE outbound_due_at IS NOT NULL`),
        ({ length }) => length === 1,
        BACK_MS,
      );
      // The bytes may still be on their way.
      expect(freed?.lease_ms).toBeGreaterThanOrEqual(10_000);
      await pair.query("UPDATE conversations SET outbound_due_at = now()");
      await pair.wechat.waitForSeen("oA", 2, BACK_MS);
      const states = () => pair.query("SELECT text, state FROM messages WHERE direction = 'outbound' ORDER BY seq");
      await eventually("both replies to have their end", states, (rows) => rows.every(({ state }) => state !== null), BACK_MS);
      expect(await states()).toEqual([
        { text: "one", state: "uncertain" },
        { text: "two", state: "sent" },
      ]);
      expect(pair.account.wechat.seenBy("oA").map(({ text }) => text)).toEqual(["one", "two"]);
    },
    PROCESSES_MS,
  );

  test(
    "is killed with all others: whichever starts next, however much later, hands its message over",
    async () => {
      const pair = await startStage();
      await holdAtDesk(pair);
      await Promise.all(pair.processes.map((each) => each.kill()));
      await pair.query("UPDATE worker_heartbeats SET seen_at = seen_at - interval '1 day'");
      await pair.query("UPDATE conversations SET active_at = active_at - interval '1 day', updated_at = updated_at - interval '1 day'");
      await pair.startAnother();
      await pair.desk.waitForReceived("oA", 2, BACK_MS);
      await untilForwarded(pair, 1);
      await eventually(
        "the heartbeats of the dead to be removed",
        () => pair.query("SELECT FROM worker_heartbeats"),
        ({ length }) => length === 1,
        BACK_MS,
      );
    },
    PROCESSES_MS,
  );

  test(
    "is asked to stop while the desk is silent: its message is handed over by another process",
    async () => {
      const pair = await startStage();
      await holdAtDesk(pair);
      expect(await pair.processes[0].stop()).toBe(0);
      await pair.desk.waitForReceived("oA", 2, BACK_MS);
      await untilForwarded(pair, 1);
    },
    PROCESSES_MS,
  );
});

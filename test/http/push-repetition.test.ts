import pg from "pg";
import { expect, test } from "vitest";
import { eventually, type Gateway, type GatewayOptions, look, type ShownMessage, startGateway } from "../support/gateway.ts";

/* Agents' replies that come without an id of the desk. */

/** A contact who has written, and whose agent alone answers. */
async function startConversation(options: GatewayOptions = {}) {
  const gateway = await startGateway(options);
  const account = await gateway.connect("official_account", { replies: { notices: "never", passiveWaitMs: 0 } });
  await account.wechat.sendText("oA", "Open on Saturday?");
  const seen = () => gateway.wechat.seenBy(account.wechat, "oA").map(({ text }) => text);
  return { gateway, account, seen, say: (text: string) => gateway.desk.pushText("oA", text) };
}

async function query({ database: { address } }: Gateway, sql: string): Promise<unknown[]> {
  if (address.kind === "opened") return (await address.pglite.query(sql)).rows;
  const client = new pg.Client({ connectionString: address.kind === "server" ? address.url : "" });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test("'Yes', the customer asks again, 'Yes': both are sent", async () => {
  const { gateway, account, seen, say } = await startConversation();
  await say("Yes");
  await account.wechat.sendText("oA", "And on Sunday?");
  await say("Yes");
  await gateway.wechat.waitForSeen("oA", 2);
  expect(seen()).toEqual(["Yes", "Yes"]);
});

test("'Yes', 'One moment', 'Yes': all three are sent", async () => {
  const { gateway, seen, say } = await startConversation();
  for (const text of ["Yes", "One moment", "Yes"]) await say(text);
  await gateway.wechat.waitForSeen("oA", 3);
  expect(seen()).toEqual(["Yes", "One moment", "Yes"]);
});

test("what an agent says twice is sent twice, once the desk has had its answer to the first", async () => {
  const { gateway, seen, say } = await startConversation();
  await say("Yes");
  await eventually(
    "the answer to be written down",
    () => query(gateway, "SELECT FROM conversations WHERE push_answered_at IS NOT NULL"),
    ({ length }) => length === 1,
  );
  await query(gateway, "UPDATE conversations SET push_answered_at = push_answered_at - interval '2 seconds'");
  await say("Yes");
  await gateway.wechat.waitForSeen("oA", 2);
  expect(seen()).toEqual(["Yes", "Yes"]);
});

test("a repetition is shown as one: in the log of the push, and counted on the message it repeats", async () => {
  const log: string[] = [];
  const logTo = { write: (line: string) => void log.push(line) };
  const { gateway, account, say } = await startConversation({ logTo, environment: { WXDESK_LOG_LEVEL: "info" } });
  await Promise.all([say("Yes"), say("Yes")]);
  const { messages } = await look(gateway, account, "oA");
  const replies = messages.filter(({ direction }) => direction === "outbound") as (ShownMessage & { repetitions: number })[];
  expect(replies).toMatchObject([{ text: "Yes", repetitions: 1 }]);
  const lines = await eventually(
    "both pushes to be logged",
    async () => log.filter((line) => line.includes("push.accepted")),
    (found) => found.length === 2,
  );
  expect(lines.map((line) => JSON.parse(line).repetitionOf).filter(Boolean)).toEqual([[replies[0]?.id]]);
});

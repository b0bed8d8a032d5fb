import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { createSecretBox } from "../src/keys/secret-box.ts";
import { type Database, openDatabase } from "../src/store/database/database.ts";
import { createStore } from "../src/store/store.ts";
import { ADMIN_KEY, eventually, startGateway } from "./support/gateway.ts";

/** Secrets that are found wherever they turn up. */
const MARKS = {
  token: "MarkOfTheToken0123456789",
  encodingAesKey: "MarkOfTheEncodingAesKey01234567890123456789",
  appSecret: "MarkOfTheAppSecret0123456789",
  deskKey: "MarkOfTheDeskKey0123456789",
  oldToken: "MarkOfTheOldToken0123456789",
  oldDeskKey: "MarkOfTheOldDeskKey0123456789",
};
/** No secret: a customer says it, so it is in the dump, and the search has to find it. */
const CONTROL = "MarkThatIsNoSecret0123456789";

test("a dump of the database reveals no secret, in whatever spelling, after everything that writes one has run", async () => {
  const masterKey = randomBytes(32);
  const gateway = await startGateway({ environment: { WXDESK_MASTER_KEY: masterKey.toString("base64") } });
  const { oldToken, oldDeskKey, token, deskKey, ...others } = MARKS;
  const account = await gateway.connect("official_account", {
    wechat: { token: oldToken, encodingAesKey: others.encodingAesKey, appSecret: others.appSecret },
    desk: { key: oldDeskKey },
  });
  const rotate = async (name: string, body?: object) => {
    const answer = await gateway.api<{ pushUrl: string }>("POST", `/accounts/shop/secrets/${name}`, body);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  await rotate("token", { value: token });
  await rotate("deskKey", { value: deskKey });
  const { pushUrl } = await rotate("pushToken");
  gateway.desk.connectPush(pushUrl);

  // A message that the desk refuses, a push that cannot be read, a reply that needs an access token: all of it leaves rows behind.
  await account.wechat.sendText("oCustomer", `${CONTROL} ${Buffer.from(`in base64: ${CONTROL}!`).toString("base64")}`);
  const pushTokens = [account.pushUrl, pushUrl].map((url) => url.split("/").at(-1) ?? "");
  const unreadable = JSON.stringify({ touser: "oCustomer", key: deskKey, token: pushTokens[1] });
  expect((await gateway.desk.pushRaw({ contentType: "application/json", body: unreadable })).status).toBe(400);
  expect((await gateway.desk.pushText("oCustomer", "yes", { unsigned: true })).status).toBe(200);
  await gateway.wechat.waitForSeen("oCustomer", 1);

  const database = await openDatabase(gateway.database.address);
  if (gateway.database.isServer) onTestFinished(database.close);
  const { accessTokens } = createStore(database, createSecretBox({ current: masterKey }));
  const stored = await eventually(
    "the access token in the database",
    () => accessTokens.get("shop"),
    (token) => token !== null,
  );

  const dump = await dumpOf(database);
  const found = (secret: string) => spellings(secret).filter((spelling) => dump.includes(spelling.toLowerCase()));
  expect(found(CONTROL).length).toBeGreaterThan(1);
  const keys = [masterKey.toString("base64"), masterKey.toString("hex"), ADMIN_KEY];
  for (const secret of [...Object.values(MARKS), ...pushTokens, stored?.value ?? "", ...keys]) {
    expect(secret.length).toBeGreaterThan(20);
    expect(found(secret)).toEqual([]);
  }
});

/** Every row of every table as text, in lower case. */
async function dumpOf({ prisma }: Database): Promise<string> {
  const tables = await prisma.$queryRaw<{ name: string }[]>`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
  const rows = tables.map(({ name }) => prisma.$queryRawUnsafe<{ row: string }[]>(`SELECT t::text AS row FROM "${name}" t`));
  return (await Promise.all(rows))
    .flat()
    .map(({ row }) => row.toLowerCase())
    .join("\n");
}

/** As it is, in hex, in base64 from each of the three places where it can begin, and backwards. */
function spellings(secret: string): string[] {
  const base64 = [0, 1, 2].map((shift) => Buffer.from("\0".repeat(shift) + secret).toString("base64"));
  return [secret, Buffer.from(secret).toString("hex"), ...base64.map((text) => text.slice(4, -4)), [...secret].reverse().join("")];
}

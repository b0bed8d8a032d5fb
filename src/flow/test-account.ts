import type { Account } from "../domain/account.ts";
import { canTestReach } from "../domain/channel.ts";
import type { CheckResult } from "../domain/check.ts";
import { judgeClock } from "../domain/clock.ts";
import type { Connection } from "../domain/connection.ts";
import { APP_MISMATCH } from "../domain/other-app.ts";

export const CHECKS = [
  "desk",
  "accessToken",
  "permissionToSend",
  "keyShapes",
  "clock",
  "publicUrl",
  "reachableByWechat",
  "receivingApp",
] as const;

export interface NamedCheck extends CheckResult {
  name: (typeof CHECKS)[number];
  ms: number;
  /** Not done yet, which is no fault: the remedy is the next step of connecting the account. `ok` is true then. */
  isPending: boolean;
}

export interface TestAccountDeps {
  /** Whether the address that WeChat and the desk are given leads to a gateway. */
  checkPublicUrl: (signal: AbortSignal) => Promise<CheckResult>;
  /** Whether a contact's message has ever come in. Until then what is missing in a console is not done yet; afterwards it is a fault. */
  hasInbound: () => Promise<boolean>;
}

/**
 * Asks both ends of an account whether it works, and looks at what nobody need be asked. Whatever the others do is a check that says
 * so; only a fault of ours throws. No customer notices anything, so it may be repeated at will.
 */
export async function testAccount(connection: Connection, deps: TestAccountDeps, signal: AbortSignal): Promise<NamedCheck[]> {
  const { account, channel, desk } = connection;
  const [deskCheck, platformChecks, keyShapes, publicUrl] = await Promise.all([
    timed("desk", () => desk.testChannel(signal)),
    testPlatform(connection, signal),
    timed("keyShapes", async () => channel.testKeys()),
    timed("publicUrl", () => deps.checkPublicUrl(signal)),
  ]);
  const [accessToken, permissionToSend, ...reachableByWechat] = platformChecks;
  const clock = await timed("clock", async () =>
    judgeClock(
      [
        { whose: "WeChat", offsetMs: accessToken.clockOffsetMs ?? null },
        { whose: "the desk", offsetMs: deskCheck.clockOffsetMs ?? null },
      ],
      account.wechat.timestampToleranceSeconds,
    ),
  );
  const receivingApp = await testReceivingApp(account);
  const checks = [deskCheck, accessToken, permissionToSend, keyShapes, clock, publicUrl, ...reachableByWechat, ...receivingApp];
  const isConnecting = checks.some(({ ok, isStep }) => !ok && isStep === true) && !(await deps.hasInbound());
  return checks.map((check) => (isConnecting && !check.ok && check.isStep === true ? { ...check, ok: true, isPending: true } : check));
}

/** WeCom cannot be asked at which app an address is entered: the messages that came tell. */
async function testReceivingApp({ warnings }: Account): Promise<NamedCheck[]> {
  const warning = warnings.find(({ code }) => code === APP_MISMATCH);
  if (warning === undefined) return [];
  const remedy = "then let a member write to the account's own app: that ends this warning";
  const why = "asynchronous answers would reach the member as another app, so they are held";
  return [await timed("receivingApp", async () => ({ ok: false, sentence: warning.sentence, why, remedy }))];
}

type PlatformChecks = [accessToken: NamedCheck, permissionToSend: NamedCheck, ...reachableByWechat: NamedCheck[]];

/** The token first: without one nothing else can be asked. */
async function testPlatform({ account, channel }: Connection, signal: AbortSignal): Promise<PlatformChecks> {
  const isAsync = account.replies.async;
  const hasSecret = account.secrets.platformSecret?.set === true;
  const accessToken = await timed("accessToken", async () => (isAsync || hasSecret ? channel.testAccess(signal) : NOT_NEEDED));
  const hasToken = hasSecret && accessToken.ok;
  const permission = timed("permissionToSend", async () => {
    if (!isAsync) return NOT_NEEDED;
    return hasToken ? channel.testPermission(signal) : { ...NO_TOKEN, isStep: accessToken.isStep === true };
  });
  if (!canTestReach(channel)) return [accessToken, await permission];
  const reach = timed("reachableByWechat", async () => (hasToken ? channel.testReach(signal) : NOBODY_TO_ASK));
  return [accessToken, ...(await Promise.all([permission, reach]))];
}

const NOT_NEEDED: CheckResult = {
  ok: true,
  sentence: "not needed: the account answers only while a callback is open (replies.async is false)",
};
const NO_TOKEN: CheckResult = {
  ok: false,
  sentence: "not checked: there is no access token to ask with",
  remedy: "do what accessToken says first, then test again",
};
const NOBODY_TO_ASK: CheckResult = { ok: true, sentence: "not checked: it takes an access token to ask WeChat" };

async function timed(name: NamedCheck["name"], check: () => Promise<CheckResult>): Promise<NamedCheck> {
  const startedAt = performance.now();
  const result = await check();
  return { ...result, name, ms: Math.round(performance.now() - startedAt), isPending: false };
}

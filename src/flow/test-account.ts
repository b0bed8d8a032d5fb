import { canTestReach } from "../domain/channel.ts";
import type { CheckResult } from "../domain/check.ts";
import { judgeClock } from "../domain/clock.ts";
import type { Connection } from "../domain/connection.ts";

export const CHECKS = ["desk", "accessToken", "permissionToSend", "keyShapes", "clock", "publicUrl", "reachableByWechat"] as const;

export interface NamedCheck extends CheckResult {
  name: (typeof CHECKS)[number];
  ms: number;
}

export interface TestAccountDeps {
  /** Whether the address that WeChat and the desk are given leads to a gateway. */
  checkPublicUrl: (signal: AbortSignal) => Promise<CheckResult>;
}

/**
 * Asks both ends of an account whether it works, and looks at what nobody need be asked. Whatever the others do is a check that says
 * so; only a fault of ours throws. No customer notices anything, so it may be repeated at will.
 */
export async function testAccount(
  { account, channel, desk }: Connection,
  deps: TestAccountDeps,
  signal: AbortSignal,
): Promise<NamedCheck[]> {
  const keyShapes = timed("keyShapes", async () => channel.testKeys());
  const publicUrl = timed("publicUrl", () => deps.checkPublicUrl(signal));
  const [deskCheck, ...platform] = await Promise.all([timed("desk", () => desk.testChannel(signal)), ...testPlatform()]);
  const clock = timed("clock", async () =>
    judgeClock(
      [
        { whose: "WeChat", offsetMs: platform[0]?.clockOffsetMs ?? null },
        { whose: "the desk", offsetMs: deskCheck.clockOffsetMs ?? null },
      ],
      account.wechat.timestampToleranceSeconds,
    ),
  );
  const checks = [deskCheck, ...platform, await keyShapes, await clock, await publicUrl];
  return checks.sort((a, b) => CHECKS.indexOf(a.name) - CHECKS.indexOf(b.name));

  /** The token first: without one nothing else can be asked. */
  function testPlatform(): Promise<NamedCheck>[] {
    const isAsync = account.replies.async;
    const hasSecret = account.secrets[account.kind === "wecom" ? "corpSecret" : "appSecret"]?.set === true;
    const accessToken = timed("accessToken", async () => (isAsync || hasSecret ? channel.testAccess(signal) : NOT_NEEDED));
    const permission = timed("permissionToSend", async () => {
      if (!isAsync) return NOT_NEEDED;
      return (await accessToken).ok ? channel.testPermission(signal) : NO_TOKEN;
    });
    if (!canTestReach(channel)) return [accessToken, permission];
    const reach = timed("reachableByWechat", async () => {
      const hasToken = hasSecret && (await accessToken).ok;
      return hasToken ? channel.testReach(signal) : { ok: true, sentence: "not checked: it takes an access token to ask WeChat" };
    });
    return [accessToken, permission, reach];
  }
}

const NOT_NEEDED: CheckResult = {
  ok: true,
  sentence: "not needed: the account answers only while a callback is open (replies.async is false)",
};
const NO_TOKEN: CheckResult = {
  ok: false,
  sentence: "not checked: there is no access token to ask with",
  remedy: "mend what accessToken says first, then test again",
};

async function timed(name: NamedCheck["name"], check: () => Promise<CheckResult>): Promise<NamedCheck> {
  const startedAt = performance.now();
  const result = await check();
  return { ...result, name, ms: Math.round(performance.now() - startedAt) };
}

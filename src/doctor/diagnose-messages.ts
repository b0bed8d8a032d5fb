import type { Inspection } from "../store/inspect.ts";
import type { Finding } from "./finding.ts";

const WHY = {
  dead: "they were tried for 24 hours and have not arrived; nobody tries them again",
  failed: "the platform will never take them as they are, and the customer has not seen them",
  uncertain: "the platform's answer was lost: the customer may have read them, or not",
  held: "they leave when the customer writes again, and not before",
} as const;

/** What has stopped on its way, for each account. */
export function diagnoseMessages({ stopped }: Pick<Inspection, "stopped">): Finding[] {
  return stopped.map(({ accountId, state, count }) => ({
    name: "messages",
    account: accountId,
    ok: state === "held" ? true : "warning",
    what: `${count} message${count === 1 ? " is" : "s are"} ${state}`,
    why: WHY[state],
    remedy: state === "held" ? null : `look why, then send again: npx wxdesk message retry --state ${state} --account ${accountId}`,
  }));
}

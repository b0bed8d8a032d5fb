import { ERRCODES as OFFICIAL_ACCOUNT, TOKEN_ERRCODES } from "../src/channels/official-account/errcodes.ts";
import { ERRCODES as WECOM } from "../src/channels/wecom/errcodes.ts";
import { readRefusal } from "../src/desks/udesk-message-interface/refusal.ts";
import { PART_BYTES_MIN } from "../src/flow/send-fitting.ts";
import type { Errcode, Errcodes } from "../src/platform/errcodes.ts";

/** docs/platform-codes.md, whole: the dictionaries as pages for people. */
export function renderPlatformCodes(): string {
  return [
    "# Platform codes",
    "",
    "What WeChat, WeCom and the desk answer when they say no, what it means, what the gateway does then, and what you do. Made from the",
    "dictionaries in the code by `npm run docs`: change those, not this page. Logs, API and `POST /accounts/{id}/test` say the same words.",
    "`{address}` is the address that the platform saw the gateway call from; it is read from the platform's own text.",
    "",
    ...toSection("Official Accounts", "src/channels/official-account/errcodes.ts", OFFICIAL_ACCOUNT),
    "While an access token is asked for, one code speaks of something else:",
    "",
    ...toTable([...TOKEN_ERRCODES].filter(([code, entry]) => OFFICIAL_ACCOUNT.get(code) !== entry)),
    "",
    ...toSection("WeCom", "src/channels/wecom/errcodes.ts", WECOM),
    "## Udesk",
    "",
    "Udesk publishes no codes. These are the refusals that it is known to write, whatever the HTTP status",
    "([source](../src/desks/udesk-message-interface/refusal.ts)); all are tried again, for 24 hours, under the code `DESK_REFUSED`.",
    "",
    "| Udesk says | meaning | do |",
    "| --- | --- | --- |",
    ...["sign验证不通过", "请传递验证参数", "anything else"].map((msg) => {
      const { meaning = "", remedy = "" } = readRefusal({ success: false, msg }) ?? {};
      return `| ${msg} | ${meaning} | ${remedy} |`;
    }),
    "",
    "The gateway's own codes are in [problems.md](problems.md).",
    "",
  ].join("\n");
}

function toSection(title: string, path: string, errcodes: Errcodes): string[] {
  return [`## ${title}`, "", `From [${path}](../${path}).`, "", ...toTable([...errcodes]), ""];
}

function toTable(entries: [string, Errcode][]): string[] {
  const rows = entries.map(([code, entry]) => `| ${code} | ${entry.meaning} | ${toReaction(entry)} | ${entry.remedy} |`);
  return ["| code | meaning | the gateway | you |", "| --- | --- | --- | --- |", ...rows];
}

function toReaction({ action, triesMax, retryAfterMs }: Errcode): string {
  switch (action) {
    case "refresh":
      return "fetches a new token and tries once more at once, then like the others";
    case "retry":
      if (triesMax !== undefined) return `tries again, ${triesMax} times in all`;
      return retryAfterMs === undefined ? "tries again, for 24 hours" : `tries again after ${retryAfterMs / 1_000} s, for 24 hours`;
    case "hold":
      return "holds the message until the contact writes";
    case "upload":
      return "uploads once more what it uploaded itself; an id from the desk: gives up, `failed`";
    case "split":
      return `sends a text again in parts of half the length, down to ${PART_BYTES_MIN} bytes; then gives up: \`failed\``;
    case "rejected":
      return "gives up: `failed`, to be replayed by hand";
  }
}

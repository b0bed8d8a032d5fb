import type { ReplyAllowance } from "../../domain/channel.ts";
import type { Content } from "../../domain/content.ts";

// WeChat's quotas since 2023-06 (wechat.md §8).
const AFTER_MESSAGE: ReplyAllowance = { windowMs: 48 * 60 * 60_000, repliesMax: 5 };
const AFTER_TAP: ReplyAllowance = { windowMs: 60_000, repliesMax: 3 };
const OPENS_NOTHING: ReplyAllowance = { windowMs: 0, repliesMax: 0 };

/** Follows, scans and pressed menu buttons; of the buttons only those that tell the server something. */
const TAPS: ReadonlySet<string> = new Set(["subscribe", "scan", "click", "scancode_push", "scancode_waitmsg"]);

export function replyAllowance(content: Content): ReplyAllowance {
  if (content.type === "event") return TAPS.has(content.event) ? AFTER_TAP : OPENS_NOTHING;
  const tapped = content.type === "text" && content.menuId !== undefined;
  return tapped ? AFTER_TAP : AFTER_MESSAGE;
}

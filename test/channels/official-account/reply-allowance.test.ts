import { expect, test } from "vitest";
import { replyAllowance } from "../../../src/channels/official-account/reply-allowance.ts";
import type { Content } from "../../../src/domain/content.ts";

function event(name: string): Content {
  return { type: "event", event: name, vendorEvent: name, fields: {} };
}

test.each<Content>([
  { type: "text", text: "hello" },
  { type: "image", mediaId: "m1" },
  { type: "unsupported", vendorType: "hologram", fields: {} },
])("a message of type $type opens 48 hours for five replies", (content) => {
  expect(replyAllowance(content)).toEqual({ windowMs: 48 * 60 * 60_000, repliesMax: 5 });
});

test.each<Content>([
  event("subscribe"),
  event("scan"),
  event("click"),
  event("scancode_push"),
  event("scancode_waitmsg"),
  { type: "text", text: "yes", menuId: "101" },
])("a tap opens one minute for three replies: %o", (content) => {
  expect(replyAllowance(content)).toEqual({ windowMs: 60_000, repliesMax: 3 });
});

test.each(["view", "view_miniprogram", "location", "unsubscribe", "templatesendjobfinish"])("%s opens nothing", (name) => {
  expect(replyAllowance(event(name))).toEqual({ windowMs: 0, repliesMax: 0 });
});

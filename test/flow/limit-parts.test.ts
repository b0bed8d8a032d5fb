import { describe, expect, test } from "vitest";
import type { Connection } from "../../src/domain/connection.ts";
import type { Content } from "../../src/domain/content.ts";
import { toPart } from "../../src/domain/text-part.ts";
import { countParts, limitParts } from "../../src/flow/limit-parts.ts";
import { textChannel } from "./stage.ts";

const connected = (async = true) => ({ account: { replies: { async } }, channel: textChannel() }) as unknown as Connection;
const reply = (openId: string, content: Content | null) => ({ openId, pushId: null, content, report: null });
const text = (length: number): Content => ({ type: "text", text: "x".repeat(length) });

describe("a text is counted as the messages that it leaves as:", () => {
  test.each([
    ["one that fits", text(2_048), true, 1],
    ["one byte more", text(2_049), true, 2],
    ["twenty full ones", text(20 * 2_048), true, 20],
    ["on callbacks, which take less", text(2_048), false, 2],
    ["a picture with an id", { type: "image", mediaId: "m" }, true, 1],
    ["a picture that callbacks cannot carry", { type: "image", mediaId: "m" }, false, 1],
    ["a link of which only its text can go out", { type: "link", title: "t", description: "x".repeat(5_000), url: "http://u" }, true, 3],
  ] as const)("%s", (_name, content, async, count) => {
    expect(countParts(content as Content, connected(async), 20)).toBe(count);
  });

  test("as many as the split makes, which ends each where a reader pauses", () => {
    const content: Content = { type: "text", text: `${"很长的句子。".repeat(100)}\n`.repeat(20) };
    let parts = 0;
    for (let progress: number | undefined = 0; progress !== undefined; parts++) progress = toPart(content, progress, 2_048).progress;
    expect(countParts(content, connected(), 100)).toBe(parts);
  });
});

describe("a push is taken whole or not at all:", () => {
  test("twenty messages to each of two customers are", () => {
    const replies = Array.from({ length: 40 }, (_, index) => reply(`o${index % 2}`, text(10)));
    expect(limitParts({ replies }, connected(), 20)).toEqual({ replies });
  });

  test("reports count as none", () => {
    const replies = Array.from({ length: 40 }, () => reply("o", null));
    expect(limitParts({ replies }, connected(), 1)).toEqual({ replies });
  });

  test.each([
    ["a text of 900 KB", [text(900 * 1024)], 450],
    ["twenty-one messages", Array.from({ length: 21 }, () => text(1)), 21],
    ["a long text and a short one", [text(20 * 2_048), text(1)], 21],
  ])("%s to one customer is not, and the reason has the numbers", (_name, contents, count) => {
    const replies = contents.map((content) => reply("o", content));
    expect(() => limitParts({ replies }, connected(), 20)).toThrow(
      expect.objectContaining({
        code: "MESSAGE_INVALID",
        message: `push makes at least ${count} messages to one customer, at most 20 are taken; send shorter texts, fewer at once, or raise WXDESK_PUSH_PARTS_MAX at the gateway`,
      }),
    );
  });
});

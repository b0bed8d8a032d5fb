import { expect, test } from "vitest";
import type { Channel, PreparedContent } from "../../src/domain/channel.ts";
import type { QueuedMessage } from "../../src/domain/queue.ts";
import { prepare } from "../../src/flow/prepare.ts";
import { textChannel } from "./stage.ts";

const { signal } = new AbortController();
const URL_CONTENT = { type: "image", url: "https://media.example/a.png" } as const;
const LINK = { part: { content: { type: "text", text: "[image] https://media.example/a.png" } } };

function uploading(prepared: PreparedContent): Channel & { asked: () => number } {
  let asked = 0;
  const upload = {
    canPrepare: () => true,
    prepare: async () => {
      asked += 1;
      return prepared;
    },
  };
  return { ...textChannel({ canSend: (content) => content.type === "text" }), ...upload, asked: () => asked };
}

function queued(change: Partial<QueuedMessage> = {}): QueuedMessage {
  return { progress: 0, failures: 0, message: { content: URL_CONTENT }, ...change } as unknown as QueuedMessage;
}

test("what was uploaded goes out in place of what was not", async () => {
  const content = { type: "image", mediaId: "m1" } as const;
  expect(await prepare(uploading({ kind: "ready", content }), queued(), signal)).toEqual({ part: { content }, isUploaded: true });
});

test("media that cannot be fetched are waited for twice, then their link goes out", async () => {
  const channel = uploading({ kind: "unreachable", code: "MEDIA_UNREACHABLE", detail: "no answer" });
  for (const failures of [0, 1]) {
    expect(await prepare(channel, queued({ failures }), signal)).toMatchObject({ outcome: { kind: "retry", code: "MEDIA_UNREACHABLE" } });
  }
  expect(await prepare(channel, queued({ failures: 2 }), signal)).toEqual({
    ...LINK,
    note: expect.stringContaining("MEDIA_UNREACHABLE: no answer"),
  });
});

test("a long link of which a part is out already is not followed by the media", async () => {
  const channel = uploading({ kind: "ready", content: { type: "image", mediaId: "m1" } });
  expect(await prepare(channel, queued({ progress: 8 }), signal)).toEqual({
    part: { content: { type: "text", text: "https://media.example/a.png" } },
  });
  expect(channel.asked()).toBe(0);
});

test("a channel without uploads sends the link", async () => {
  expect(await prepare(textChannel({ canSend: () => false }), queued(), signal)).toEqual(LINK);
});

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Log } from "../../src/base/log.ts";
import { createLogger } from "../../src/base/logger.ts";

function capture(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { lines, log: createLogger({ level: "info", destination: { write: (line) => lines.push(line) } }) };
}

describe("the logger", () => {
  test("writes one line per event with its fields, and nothing below its level", () => {
    const { log, lines } = capture();
    log.debug({}, "queue.claimed");
    log.info({ conversationId: "cv_1", durationMs: 12 }, "message.forwarded");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: "info", time: expect.any(String), conversationId: "cv_1", durationMs: 12, msg: "message.forwarded" },
    ]);
  });

  test.each([
    { token: "s3cret" },
    { account: { encodingAesKey: "s3cret" } },
    { account: { wechat: { appSecret: "s3cret" } } },
    { secrets: [{ platformSecret: "s3cret" }], deps: { platformSecret: "s3cret" } },
    { headers: { authorization: "Bearer s3cret" } },
    { secrets: { anything: "s3cret" } },
    { keys: [{ id: "one", apiKey: "s3cret" }] },
    { account: Object.assign(Object.create(null), { password: "s3cret" }) },
    {
      account: new (class Account {
        token = "s3cret";
        wechat = { appSecret: "s3cret" };
      })(),
    },
    { result: { error: Object.assign(new Error("no"), { token: "s3cret", input: "https://s3cret.example.com" }) } },
    { cause: Object.assign(new Error("no"), { input: "https://s3cret.example.com" }) },
    { req: { method: "POST", url: "/desk/shop/s3cret?sign=s3cret", headers: { authorization: "s3cret" } } },
    { err: new Error("GET https://api.example.com/cgi-bin/x?access_token=s3cret failed") },
    { err: new Error("outer", { cause: new Error("POST /desk/shop/s3cret failed") }) },
    { err: Object.assign(new Error("Invalid URL"), { input: "https://s3cret.example.com" }) },
  ])("lets no secret out of %o", (fields) => {
    const { log, lines } = capture();
    log.info(fields, "something.happened");
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toContain("s3cret");
  });

  test("lets no secret out of what a child of it is bound to", () => {
    const lines: string[] = [];
    const log = createLogger({ level: "info", destination: { write: (line) => lines.push(line) } });
    log.child({ account: "shop", token: "s3cret" }).info({}, "something.happened");
    expect(JSON.parse(lines.join())).toMatchObject({ account: "shop", token: "[redacted]" });
  });

  test("changes nothing of what it was given", () => {
    const fields = { account: { id: "shop", wechat: { appSecret: "s3cret" } }, list: [{ token: "s3cret" }] };
    capture().log.info(fields, "something.happened");
    expect(fields).toEqual({ account: { id: "shop", wechat: { appSecret: "s3cret" } }, list: [{ token: "s3cret" }] });
  });

  test("keeps what people say only when it is asked to", () => {
    const { log, lines } = capture();
    log.info({ text: "my address is …", type: "text" }, "callback.received");
    expect(JSON.parse(lines.join())).toEqual({ level: "info", time: expect.any(String), type: "text", msg: "callback.received" });

    const open: string[] = [];
    createLogger({ level: "info", content: true, destination: { write: (line) => open.push(line) } }).info(
      { text: "hello" },
      "push.accepted",
    );
    expect(JSON.parse(open.join())).toMatchObject({ text: "hello" });
  });

  test("tells of a request its route and of an error its causes", () => {
    const { log, lines } = capture();
    const err = new Error("outer", { cause: Object.assign(new Error("inner"), { code: "ECONNREFUSED" }) });
    log.error({ req: { method: "GET", routeOptions: { url: "/wechat/:accountId" }, ip: "::1" }, err }, "request.failed");
    expect(JSON.parse(lines.join())).toMatchObject({
      req: { method: "GET", route: "/wechat/:accountId", remoteAddress: "::1" },
      err: { message: "outer", stack: expect.any(String), cause: { message: "inner", code: "ECONNREFUSED" } },
    });
  });

  test.each(["process.exit(1)", "throw new Error('unforeseen')"])(
    "keeps every line, in order, of a process that ends by %s",
    async (end) => {
      const lines = 20_000;
      const file = fileURLToPath(new URL("../../src/base/logger.ts", import.meta.url));
      const code = `
      import { createLogger } from ${JSON.stringify(file)};
      const log = createLogger({ level: "info" });
      for (let index = 0; index < ${lines}; index++) log.info({ index }, "something.happened");
      setTimeout(() => { log.info({ index: ${lines} }, "last"); ${end}; }, 20);`;
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const written = (await text(child.stdout)).trimEnd().split("\n");
      expect(written.map((line) => JSON.parse(line).index)).toEqual(Array.from({ length: lines + 1 }, (_, index) => index));
    },
  );
});

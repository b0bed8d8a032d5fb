import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { connect } from "../../../src/cli/api/connect.ts";
import { readConfig } from "../../../src/config.ts";
import { lockFolder } from "../../../src/keys/folder-lock.ts";
import { writeLocalApi } from "../../../src/keys/local-api-file.ts";
import { copyDataFolder, prepareDataFolder } from "../../crash/stage.ts";
import { createScript } from "../wxdesk.ts";

prepareDataFolder();

/** A data folder that somebody holds, and a command that wants to work on it. */
async function hold() {
  const folder = await copyDataFolder();
  onTestFinished(await lockFolder(folder));
  const cli = {
    terminal: createScript({ stdout: "", stderr: "" }, ""),
    readEnvironment: () => ({ WXDESK_DATA_DIR: folder }),
    readConfig: () => readConfig({ WXDESK_DATA_DIR: folder }),
    failCheck: () => {},
  };
  return { folder, connect: (busyMsMax: number) => connect(cli, {}, busyMsMax) };
}

test("a folder whose holder never says where it listens is told so", async () => {
  const { connect, folder } = await hold();
  await expect(connect(0)).rejects.toThrow(`holds ${folder}, but has not said where it listens; wait until it is up`);
});

test("a folder whose holder does not answer is told so, with the address", async () => {
  const { connect, folder } = await hold();
  await writeLocalApi(folder, { address: "http://127.0.0.1:1", key: "wxl_old" });
  await expect(connect(0)).rejects.toThrow("does not answer at http://127.0.0.1:1");
});

test("a gateway that is just starting is waited for", async () => {
  const { connect, folder } = await hold();
  const connecting = connect(20_000);
  const server = createServer((_request, response) => response.end("{}")).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  await writeLocalApi(folder, { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: "wxl_new" });
  const api = await connecting;
  expect(api.isRunning).toBe(true);
  expect(await api.request("GET", "/accounts")).toEqual({ status: 200, body: "{}" });
  await api.close();
});

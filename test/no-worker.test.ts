import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../src/app/app.ts";
import { readConfig } from "../src/config.ts";
import { diagnoseSettings } from "../src/doctor/diagnose-settings.ts";
import { isHealthy } from "../src/doctor/finding.ts";
import { copyDataFolder, prepareDataFolder } from "./crash/stage.ts";

prepareDataFolder();

/** The warnings of a start with this role on an embedded database. */
async function startAs(role: string): Promise<string[]> {
  const lines: string[] = [];
  const settings = { WXDESK_ROLE: role, WXDESK_DATA_DIR: await copyDataFolder(), WXDESK_PORT: "0", WXDESK_LOG_LEVEL: "warn" };
  const app = await createApp(readConfig(settings), { logTo: { write: (line) => void lines.push(line) } });
  onTestFinished(app.close);
  await app.listen();
  return lines.filter((line) => line.includes("gateway.no-worker"));
}

test("a gateway without worker on a database that no worker can open says that nothing will be forwarded, and starts", async () => {
  expect(await startAs("http")).toEqual([
    expect.stringMatching(/WXDESK_ROLE to all.*nothing is forwarded|nothing is forwarded.*WXDESK_ROLE to all/),
  ]);
  expect(await startAs("all")).toEqual([]);
});

test("doctor warns of it too, and of a database that a worker can share it does not", () => {
  const key = Buffer.alloc(32, 7).toString("base64");
  const embedded = diagnoseSettings({ WXDESK_ROLE: "http" }).findings;
  expect(embedded).toContainEqual(expect.objectContaining({ name: "role", ok: "warning", remedy: expect.stringContaining("WXDESK_ROLE") }));
  expect(isHealthy(embedded)).toBe(true);
  const shared = { WXDESK_ROLE: "http", DATABASE_URL: "postgresql://db/wxdesk", WXDESK_MASTER_KEY: key };
  for (const settings of [shared, { WXDESK_ROLE: "all" }]) {
    expect(diagnoseSettings(settings).findings.map(({ name }) => name)).toEqual(["settings"]);
  }
});

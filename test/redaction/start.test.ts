import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { spawnGateway } from "../support/process.ts";
import { createMarks } from "./marks.ts";

const secrets = createMarks();
const masterKey = secrets.add("master key", randomBytes(32).toString("base64"));
const adminKey = secrets.add("admin key", `wxk_${randomBytes(20).toString("hex")}`);
const password = secrets.add("database password", randomBytes(12).toString("hex"));

/** Runs the real process with these settings to its end. */
async function startInVain(settings: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-redaction-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "master-key"), `${masterKey}no longer 32 bytes`);
  const gateway = spawnGateway({ WXDESK_LOG_LEVEL: "trace", WXDESK_DATA_DIR: folder, ...settings }, folder);
  const code = await gateway.exited();
  return { code, output: gateway.output };
}

test("a database that cannot be reached ends the start without its password", async () => {
  const { code, output } = await startInVain({
    DATABASE_URL: `postgresql://wxdesk:${password}@127.0.0.1:9/wxdesk?sslpassword=${password}`,
    WXDESK_MASTER_KEY: masterKey,
    WXDESK_ADMIN_KEY: adminKey,
  });
  expect(code).toBe(2);
  expect(output).toMatch(/^DATABASE_UNREACHABLE: /m);
  // The summary of the settings is there, so what was looked for could have stood in it.
  expect(output).toMatch(/"database":"127\.0\.0\.1:9".*"masterKeySet":true.*"adminKeySet":true/);
  expect(secrets.findIn(output)).toEqual([]);
});

test("settings that cannot be used, also from a file or by a wrong name, end the start without their values", async () => {
  const { code, output } = await startInVain({
    DATABASE_URL: `mysql://wxdesk:${password}@db/wxdesk`,
    WXDESK_MASTER_KEY_FILE: "master-key",
    WXDESK_MASTER_KEY_PREVIOUS: masterKey.slice(1),
    WXDESK_ADMIN_KEY: `${adminKey} and a blank`,
    WXDESK_PUBLIC_URL: `https://user:${password}@gateway.example.com/`,
    WXDESK_PORT: adminKey,
    WXDESK_ADMIN_KEI: adminKey,
  });
  expect(code).toBe(2);
  for (const name of [
    "DATABASE_URL",
    "WXDESK_MASTER_KEY",
    "WXDESK_MASTER_KEY_PREVIOUS",
    "WXDESK_ADMIN_KEY",
    "WXDESK_PUBLIC_URL",
    "WXDESK_PORT",
  ]) {
    expect(output).toContain(`- ${name} `);
  }
  expect(output).toContain("WXDESK_ADMIN_KEI is no setting; did you mean WXDESK_ADMIN_KEY?");
  expect(secrets.findIn(output)).toEqual([]);
});

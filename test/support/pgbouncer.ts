import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findFreePort } from "./free-port.ts";

/** As in its `pgbouncer.ini`. */
export type PgbouncerSettings = Record<string, string | number>;

/** Whether this machine has it, as scripts/postgres-cluster.sh installs it. */
export function hasPgbouncer(): boolean {
  return spawnSync("pgbouncer", ["--version"], { stdio: "ignore" }).status === 0;
}

/** A real pgbouncer in front of the server of this address, until the test ends. Gives the same address through it. */
export async function startPgbouncer(serverUrl: string, settings: PgbouncerSettings): Promise<string> {
  const server = new URL(serverUrl);
  const folder = await mkdtemp(join(tmpdir(), "wxdesk-pgbouncer-"));
  const port = await findFreePort();
  const all = { listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "", auth_type: "any", ...settings };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  const database = `* = host=${server.hostname} port=${server.port} user=${server.username || "postgres"}`;
  await writeFile(join(folder, "pgbouncer.ini"), ["[databases]", database, "[pgbouncer]", ...lines, ""].join("\n"));
  await chmod(folder, 0o755);
  // It refuses to run as root.
  const asUser = process.getuid?.() === 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
  const [program = "", ...args] = [...asUser, "pgbouncer", "-q", join(folder, "pgbouncer.ini")];
  const child = spawn(program, args, { stdio: "ignore" });
  const exit = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exit;
    await rm(folder, { recursive: true, force: true });
  });
  await untilListening(port);
  const address = new URL(serverUrl);
  address.hostname = "127.0.0.1";
  address.port = String(port);
  return address.href;
}

async function untilListening(port: number): Promise<void> {
  const endMs = Date.now() + 10_000;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      socket.destroy();
    }
  }
}

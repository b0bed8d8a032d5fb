import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { wxdeskHere } from "../cli/wxdesk.ts";
import { findFreePort } from "../support/free-port.ts";
import { ADMIN_KEY, type OpenGateway, openGateway } from "../support/gateway.ts";
import { pack } from "../support/pack.ts";
import { describeMistakes } from "./expect-said.ts";

let gateway: OpenGateway;
let folder: string;

beforeAll(async () => {
  gateway = await openGateway();
  folder = await mkdtemp(join(tmpdir(), "wxdesk-mistakes-"));
});
afterAll(async () => {
  await gateway.close();
  await rm(folder, { recursive: true });
});

/** What is said on standard error, in one line: commander gives its suggestions a line of their own. */
async function noteOf(args: string[], key?: string): Promise<string> {
  const { code, stdout, stderr } = await wxdeskHere(args, { environment: key === undefined ? {} : { WXDESK_API_KEY: key } });
  if (code === 0 || stdout !== "") throw new Error(`it went well: ${code} ${stdout}`);
  return stderr.replaceAll(/[\n()]+(?=Did you mean)/g, " ");
}

describeMistakes("cli", {
  "url-of-something-else": () => noteOf(["account", "list", "--url", gateway.desk.url], ADMIN_KEY),
  "url-away": async () => noteOf(["account", "list", "--url", `http://127.0.0.1:${await findFreePort()}`], ADMIN_KEY),
  "url-without-key": () => noteOf(["account", "list", "--url", gateway.address]),
  "key-file-empty": async () => {
    const file = join(folder, "empty.key");
    await writeFile(file, "\n");
    return noteOf(["account", "list", "--url", gateway.address, "--key-file", file]);
  },
  "cli-role-too-low": async () => {
    const { body } = await gateway.api<{ key: string }>("POST", "/api-keys", { name: "Reader", role: "viewer" });
    return noteOf(["account", "list", "--url", gateway.address], body.key);
  },
  "document-no-json": async () => {
    const file = join(folder, "account.json");
    await writeFile(file, '{\n  "id": "shop"\n  "kind": "wecom"\n}\n');
    return noteOf(["account", "add", "--file", file]);
  },
  "document-kind": async () => {
    const file = join(folder, "kind.json");
    await writeFile(file, JSON.stringify({ id: "shop", kind: "offical" }));
    return noteOf(["account", "add", "--file", file, "--url", gateway.address], ADMIN_KEY);
  },
  "option-value": () => noteOf(["conversation", "list", "--limit", "500", "--url", gateway.address], ADMIN_KEY),
  "key-for-no-account": () =>
    noteOf(["key", "create", "--name", "Lily", "--role", "viewer", "--account", "shopp", "--url", gateway.address], ADMIN_KEY),
  "id-of-account": () => noteOf(["message", "list", "shop"]),
  "conversation-unknown": () => noteOf(["message", "list", "cv_0", "--url", gateway.address], ADMIN_KEY),
  "option-unknown": () => noteOf(["account", "list", "--jsn"]),
  "secret-as-argument": () => noteOf(["secret", "rotate", "shop", "deskKey", "--value", "x"]),
  pack: async () => {
    const { code, stderr } = await pack(folder);
    if (code === 0) throw new Error("a package was made");
    return stderr;
  },
  "value-file-missing": () => noteOf(["secret", "rotate", "shop", "deskKey", "--value-file", join(folder, "absent")]),
});

import { BlockList, isIP } from "node:net";
import { TransportError } from "../base/errors.ts";
import type { HttpClient } from "../base/http-client.ts";
import type { CheckResult } from "../domain/check.ts";

const TIMEOUT_MS = 5_000;
const WHY = "WeChat and the desk call this address: what does not arrive there, customers and agents have said in vain";

/**
 * Whether the address that WeChat and the desk are given can be theirs to call, and leads to a gateway. That it cannot be reached
 * from here proves little, for many networks do not lead a machine to its own public address; so it is advice, not a failure.
 */
export async function checkPublicUrl(publicUrl: string, http: HttpClient, signal: AbortSignal): Promise<CheckResult> {
  const { protocol, hostname, port } = new URL(publicUrl);
  if (isPrivateHost(hostname)) {
    const remedy = "set WXDESK_PUBLIC_URL to the address that leads here from outside, such as https://gateway.example.com";
    return { ok: true, sentence: `WeChat cannot reach ${hostname}: it is an address of this machine or network only`, why: WHY, remedy };
  }
  if (port !== "") {
    const remedy = `put a proxy on port ${protocol === "https:" ? 443 : 80} in front, and leave the port out of WXDESK_PUBLIC_URL`;
    return { ok: true, sentence: `Official Accounts call ports 80 and 443 only, and ${publicUrl} has another`, why: WHY, remedy };
  }
  return (await askGateway(publicUrl, http, signal)) ?? adviseHttps(publicUrl, protocol);
}

/** Null when a gateway answers there. */
async function askGateway(publicUrl: string, http: HttpClient, signal: AbortSignal): Promise<CheckResult | null> {
  const remedy = "check WXDESK_PUBLIC_URL and the proxy: it has to lead to the gateway, with the path as it is";
  try {
    const { status, body } = await http.exchange({ method: "GET", url: `${publicUrl}/livez`, timeoutMs: TIMEOUT_MS, signal });
    if (status === 200 && /^\{"status":"ok"\}\s*$/.test(body.toString("utf8"))) return null;
    return { ok: false, sentence: `somebody else answers at ${publicUrl}/livez (HTTP ${status})`, why: WHY, remedy };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const sentence = `not reached from this machine: ${error.message}`;
    return { ok: true, sentence, why: WHY, remedy: `try curl ${publicUrl}/livez from outside; if that fails too, ${remedy}` };
  }
}

function adviseHttps(publicUrl: string, protocol: string): CheckResult {
  const sentence = `a gateway answers at ${publicUrl}`;
  if (protocol === "https:") return { ok: true, sentence };
  const why = "the desk's pushes hold what agents write, and their address is a secret; without TLS anybody on the way reads both";
  return { ok: true, sentence: `${sentence}, without TLS`, why, remedy: "use an https address in WXDESK_PUBLIC_URL" };
}

/** Names that are no addresses are taken as public: who answers for them is asked next. */
function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || host.endsWith(".localhost") || host.endsWith(".local")) return true;
  const family = isIP(host);
  return family !== 0 && PRIVATE.check(host, family === 4 ? "ipv4" : "ipv6");
}

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const) {
  PRIVATE.addSubnet(network, prefix, "ipv4");
}
PRIVATE.addAddress("::", "ipv6");
PRIVATE.addAddress("::1", "ipv6");
PRIVATE.addSubnet("fc00::", 7, "ipv6");
PRIVATE.addSubnet("fe80::", 10, "ipv6");

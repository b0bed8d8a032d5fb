import { isIP } from "node:net";

/**
 * The address that a platform saw us call from, as its refusal tells it; null when it tells none. Official Accounts write
 * "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist", WeCom "…, from ip: 203.0.113.7, more info at …".
 */
export function readCallerAddress(errmsg: string): string | null {
  for (const [, found = ""] of errmsg.matchAll(/\b(?:ip|ipv6):?\s+([0-9a-f:.]+)/gi)) {
    const address = found.replace(/^::ffff:(?=\d+\.)/i, "").replace(/[.:]+$/, "");
    if (isIP(address) !== 0) return address;
  }
  return null;
}

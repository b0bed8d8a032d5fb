import { BlockList, isIP, isIPv4 } from "node:net";

/** Says whether an IP address may be called although somebody outside chose it. */
export type AddressCheck = (address: string) => boolean;

/**
 * Passes addresses of the public internet and those in `allowedNetworks` (CIDR). An IPv6 address that only wraps an IPv4 one is
 * judged by the one inside: a translator on the way would deliver to that.
 */
export function createAddressCheck(allowedNetworks: readonly string[]): AddressCheck {
  const allowed = toBlockList(allowedNetworks);
  return (address) => {
    const plain = withoutZone(address);
    const inner = toEmbeddedIpv4(plain);
    const forms = inner === null ? [plain] : [plain, inner];
    return forms.some((form) => holds(allowed, form)) || isPublic(inner ?? plain);
  };
}

/** IANA's special-purpose registries (RFC 6890 and its successors): whatever is not reachable from everywhere, or not one host. */
const SPECIAL_IPV4 = toBlockList([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);

/** All public hosts are in 2000::/3 so far; what lies outside (::1, fc00::/7, fe80::/10, ff00::/8 and the like) needs no list. */
const GLOBAL_IPV6 = toBlockList(["2000::/3"]);
/** Protocol assignments with Teredo, documentation. */
const SPECIAL_IPV6 = toBlockList(["2001::/23", "2001:db8::/32", "3fff::/20"]);

function isPublic(address: string): boolean {
  if (isIPv4(address)) return !holds(SPECIAL_IPV4, address);
  return isIP(address) === 6 && holds(GLOBAL_IPV6, address) && !holds(SPECIAL_IPV6, address);
}

function toBlockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    list.addSubnet(address, Number(prefix), isIPv4(address) ? "ipv4" : "ipv6");
  }
  return list;
}

function holds(list: BlockList, address: string): boolean {
  return isIP(address) !== 0 && list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}

/** `fe80::1%eth0`: the zone says where to look for it, not what it is. */
function withoutZone(address: string): string {
  return address.replace(/%.*$/s, "");
}

/** The IPv4 address in a mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96) or 6to4 (2002::/16) address; else null. */
function toEmbeddedIpv4(address: string): string | null {
  if (isIP(address) !== 6) return null;
  const groups = toGroups(address);
  const [first = 0, second = 0, third = 0] = groups;
  if (first === 0x2002) return toDotted(second, third);
  const head = groups.slice(0, 6).join(":");
  // ::1 and :: are addresses of their own.
  const isCompatible = head === "0:0:0:0:0:0" && groups[6] !== 0;
  const isWrapped = isCompatible || head === "0:0:0:0:0:65535" || head === `${0x64}:${0xff9b}:0:0:0:0`;
  return isWrapped ? toDotted(groups[6] ?? 0, groups[7] ?? 0) : null;
}

/** The eight groups as numbers. The URL parser writes every spelling of an IPv6 address in one way. */
function toGroups(address: string): number[] {
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const toNumbers = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [toNumbers(head), toNumbers(tail ?? "")];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function toDotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

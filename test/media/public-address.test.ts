import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAddressCheck } from "../../src/media/public-address.ts";

const mayCall = createAddressCheck([]);

const REFUSED = [
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "100::1",
  "2001:db8::1",
  "2001::1",
  "3fff::1",
  "64:ff9b:1::7f00:1",
  "::ffff:127.0.0.1",
  "::ffff:10.0.0.1",
  "::ffff:a00:1",
  "::7f00:1",
  "64:ff9b::10.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "2002:7f00:1::",
  "2002:a00:1::5",
  "no address",
  "",
];

const PASSED = [
  "1.1.1.1",
  "100.63.255.255",
  "100.128.0.1",
  "172.15.255.255",
  "172.32.0.1",
  "192.0.1.1",
  "223.255.255.255",
  "2606:4700::1111",
  "::ffff:1.1.1.1",
  "64:ff9b::101:101",
  "2002:101:101::",
];

test.each(REFUSED)("%s is not public", (address) => {
  expect(mayCall(address)).toBe(false);
});

test.each(PASSED)("%s is public", (address) => {
  expect(mayCall(address)).toBe(true);
});

describe("a network that the operator lists", () => {
  test("is passed, and its neighbours are not", () => {
    const allowsTwo = createAddressCheck(["10.1.0.0/16", "fd00:1::/32"]);
    for (const address of ["10.1.0.1", "10.1.255.255", "::ffff:10.1.2.3", "64:ff9b::a01:1", "fd00:1::9"])
      expect(allowsTwo(address)).toBe(true);
    for (const address of ["10.2.0.1", "127.0.0.1", "fd00:2::9", "::1"]) expect(allowsTwo(address)).toBe(false);
  });
});

test("an IPv4 address is judged the same in every IPv6 that wraps it", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
      const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
      for (const wrapped of [`::ffff:${address}`, `::ffff:${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`]) {
        expect(mayCall(wrapped)).toBe(mayCall(address));
      }
    }),
  );
});

test("of all IPv6 addresses only those of 2000::/3 and those that wrap a public IPv4 one are public", () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const first = Number.parseInt(new URL(`http://[${address}]`).hostname.slice(1).split(":")[0] || "0", 16);
      const isWrapping = first === 0 || first === 0x64;
      if (!isWrapping && (first < 0x2000 || first > 0x3fff)) expect(mayCall(address)).toBe(false);
    }),
  );
});

import { expect, test } from "vitest";
import { readCallerAddress } from "../../src/platform/caller-address.ts";

// The platforms' own texts, as users published them (github.com/overtrue/laravel-wechat/issues/367, binarywang/WxJava/issues/3199,
// easychen/wecomchan/issues/62), with addresses kept for documentation (RFC 5737, RFC 3849).
test.each([
  ["invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist hint: [jotvMa01143580]", "203.0.113.7"],
  ["invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 658cff8e-7783352d-44cb33e5", "203.0.113.7"],
  ["invalid ip 203.0.113.7, not in whitelist", "203.0.113.7"],
  ["invalid ip ::ffff:203.0.113.7, not in whitelist", "203.0.113.7"],
  ["invalid ip  ipv6 2001:db8::17, not in whitelist", "2001:db8::17"],
  ["not allow to access from your ip, hint: [1706848717432011565347844], from ip: 203.0.113.7, more info at https://x", "203.0.113.7"],
  ["not allow to access from your ip, from ip: 2001:db8::17.", "2001:db8::17"],
])("%s", (errmsg, address) => {
  expect(readCallerAddress(errmsg)).toBe(address);
});

test.each(["", "api unauthorized", "from ip: x.x.x.x", "invalid ip 999.1.2.3", "zip 203.0.113.7"])("%j tells none", (errmsg) => {
  expect(readCallerAddress(errmsg)).toBeNull();
});

import { expect, test } from "vitest";
import { toLoopback, toPlannedAddress } from "../../src/http/listener.ts";

test("this machine reaches what listens on all its addresses at the loopback one, and leaves every other as it is", () => {
  expect(toLoopback("http://0.0.0.0:8787")).toBe("http://127.0.0.1:8787");
  expect(toLoopback("http://[::]:8787")).toBe("http://[::1]:8787");
  expect(toLoopback("http://10.0.0.0:8787")).toBe("http://10.0.0.0:8787");
});

test("an IPv6 host stands in brackets", () => {
  expect(toPlannedAddress({ host: "::1", port: 8787 })).toBe("http://[::1]:8787");
  expect(toPlannedAddress({ host: "localhost", port: 80 })).toBe("http://localhost:80");
});

import { expect, test } from "vitest";
import { createCircuitBreaker } from "../../src/domain/circuit-breaker.ts";

const at = (ms: number) => new Date(1_760_000_000_000 + ms);

function opened() {
  const breaker = createCircuitBreaker();
  for (let failure = 0; failure < 5; failure++) {
    expect(breaker.waitMs("shop", at(0))).toBe(0);
    breaker.failed("shop", at(0));
  }
  return breaker;
}

test("a few failures let everything pass, and a success forgets them", () => {
  const breaker = createCircuitBreaker();
  for (let round = 0; round < 3; round++) {
    for (let failure = 0; failure < 4; failure++) breaker.failed("shop", at(0));
    expect(breaker.waitMs("shop", at(0))).toBe(0);
    breaker.succeeded("shop");
  }
  expect(breaker.isOpen("shop")).toBe(false);
});

test("the fifth failure in a row stops this account only, for five seconds", () => {
  const breaker = opened();
  expect(breaker.isOpen("shop")).toBe(true);
  expect(breaker.waitMs("shop", at(1_000))).toBe(4_000);
  expect(breaker.waitMs("other", at(1_000))).toBe(0);
});

test("after the pause one probe goes, the others wait for it", () => {
  const breaker = opened();
  expect(breaker.waitMs("shop", at(5_000))).toBe(0);
  expect(breaker.waitMs("shop", at(5_000))).toBe(1_000);
  breaker.succeeded("shop");
  expect(breaker.waitMs("shop", at(5_001))).toBe(0);
  expect(breaker.waitMs("shop", at(5_001))).toBe(0);
});

test("a probe that fails doubles the pause, up to a minute; one that never ends is followed by another", () => {
  const breaker = opened();
  let now = 5_000;
  for (const pause of [10_000, 20_000, 40_000, 60_000, 60_000]) {
    expect(breaker.waitMs("shop", at(now))).toBe(0);
    breaker.failed("shop", at(now));
    expect(breaker.waitMs("shop", at(now))).toBe(pause);
    now += pause;
  }
  expect(breaker.waitMs("shop", at(now))).toBe(0);
  expect(breaker.waitMs("shop", at(now + 15_000))).toBe(0);
});

test("a longer Retry-After is honoured, and failures of tries that were under way do not prolong the pause", () => {
  const breaker = createCircuitBreaker();
  for (let failure = 0; failure < 4; failure++) breaker.failed("shop", at(0));
  breaker.failed("shop", at(0), 30_000);
  breaker.failed("shop", at(2_000), 90_000);
  expect(breaker.waitMs("shop", at(10_000))).toBe(20_000);
});

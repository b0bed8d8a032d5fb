import { expect, test } from "vitest";
import { judgeClock } from "../../src/domain/clock.ts";

const wechat = (seconds: number | null) => ({ whose: "WeChat", offsetMs: seconds === null ? null : seconds * 1_000 }) as const;
const desk = (seconds: number | null) => ({ whose: "the desk", offsetMs: seconds === null ? null : seconds * 1_000 }) as const;

test("a clock within half a minute of both is right", () => {
  expect(judgeClock([wechat(0.4), desk(-30)], 600)).toEqual({
    ok: true,
    sentence: "this machine's clock is as WeChat's and 30 s behind the desk's",
  });
});

test("beyond half of what callbacks may be off it fails, before that it is advice", () => {
  expect(judgeClock([wechat(-301), desk(0)], 600)).toMatchObject({ ok: false, remedy: expect.stringContaining("NTP") });
  expect(judgeClock([wechat(301), desk(0)], 600)).toMatchObject({
    ok: false,
    sentence: expect.stringContaining("301 s ahead of WeChat's"),
  });
  expect(judgeClock([wechat(300), desk(0)], 600)).toMatchObject({ ok: true, remedy: expect.stringContaining("NTP") });
  expect(judgeClock([wechat(31), desk(null)], 600)).toMatchObject({ ok: true, why: expect.stringContaining("600 s") });
});

test("a tolerance of 0 refuses nothing, so that no clock is a failure", () => {
  const check = judgeClock([wechat(5_000)], 0);
  expect(check).toMatchObject({ ok: true, remedy: expect.stringContaining("NTP") });
  expect(check.why).toBeUndefined();
});

test("when only the desk's clock differs, it is the desk's that is wrong", () => {
  const check = judgeClock([wechat(0), desk(900)], 600);
  expect(check).toMatchObject({ ok: true, remedy: "ask who runs the desk to set its clock by NTP" });
  expect(judgeClock([wechat(null), desk(900)], 600)).toMatchObject({ ok: true, remedy: expect.stringContaining("this machine's clock") });
});

test("without any Date nothing is said", () => {
  expect(judgeClock([wechat(null), desk(null)], 600)).toEqual({
    ok: true,
    sentence: "not compared: neither WeChat nor the desk told the time",
  });
});

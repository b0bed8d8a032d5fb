import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { checkSignature } from "../../src/cli/check-signature.ts";
import { wxdeskHere } from "./wxdesk.ts";

// Udesk's published vector (docs/reference/udesk.md).
const KEY = "0123456789abcdef0123456789abcdef";
const IDENTITY = "number=13574221234&email=894733082@qq.com&timestamp=20151124141451";
const SIGN = "301B50B00CB609836B0D52FE4AB93CC8";
const NOW = new Date("2015-11-24T14:14:51+08:00");

const signText = (text: string) => createHash("md5").update(text).digest("hex").toUpperCase();

test("makes the published signature, from a key that is in no argument", async () => {
  const args = ["--number", "13574221234", "--email", "894733082@qq.com", "--timestamp", "20151124141451", "--key-file", "-"];
  const ended = await wxdeskHere(["sign", ...args], { input: `${KEY}\n` });
  expect(ended).toEqual({ code: 0, stdout: `${IDENTITY}&sign=${SIGN}\n`, stderr: "" });
  const json = await wxdeskHere(["sign", "--timestamp", "20151124141451", "--key-file", "-", "--json"], { input: KEY });
  expect(JSON.parse(json.stdout).sign).toBe("5115174BBECA8A19B2FE835E3BBEA724");
});

test.each([
  ["--number", "+86 1"],
  ["--number", "1&email=x"],
  ["--email", "a+b@qq.com"],
  ["--email", "李@qq.com"],
])("what a URL would have to escape is refused, with the reason: %s %s", async (option, value) => {
  const ended = await wxdeskHere(["sign", option, value, "--key-file", "-"], { input: KEY });
  expect(ended).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(`${option} must be `) });
  expect(ended.stderr).toContain("breaks the signature");
});

test("a right signature is right, in a whole address or a query alone", () => {
  expect(checkSignature(`https://example.udesk.cn/spa1/im_callback?${IDENTITY}&sign=${SIGN}`, KEY, NOW)).toEqual({
    ok: true,
    sentences: [],
  });
  expect(checkSignature(`${IDENTITY}&sign=${SIGN}`, KEY, NOW)).toEqual({ ok: true, sentences: [] });
});

test("what is right but may be refused is said", () => {
  const later = new Date("2015-11-24T15:00:00+08:00");
  const query = `${IDENTITY.replace("@", "%40")}&sign=${SIGN.toLowerCase()}`;
  const { ok, sentences } = checkSignature(query, KEY, later);
  expect(ok).toBe(true);
  expect(sentences).toEqual([
    expect.stringContaining("lower case"),
    expect.stringContaining("URL-encoded"),
    expect.stringContaining("20151124150000 now"),
  ]);
});

test.each([
  ["an encoded @", `${IDENTITY.replace("@", "%40")}&${KEY}`, "@ was signed as %40"],
  ["another order", `timestamp=20151124141451&number=13574221234&email=894733082@qq.com&${KEY}`, "in the order timestamp, number, email"],
  ["a key without &", IDENTITY + KEY, "without an &"],
  ["a key with a name", `${IDENTITY}&key=${KEY}`, "stands bare"],
  ["a key with its line break", `${IDENTITY}&${KEY}\n`, "line break"],
  ["another key", `${IDENTITY}&other`, "another key"],
])("%s in what was signed is recognised", (_, text, cause) => {
  const verdict = checkSignature(`${IDENTITY}&sign=${signText(text)}`, KEY, NOW);
  expect(verdict).toMatchObject({ ok: false, sentences: [expect.stringContaining(cause)] });
});

test("empty values that were left out of what was signed are recognised", () => {
  const sign = signText(`timestamp=20151124141451&${KEY}`);
  expect(checkSignature(`number=&email=&timestamp=20151124141451&sign=${sign}`, KEY, NOW).sentences).toEqual([
    expect.stringContaining("left out"),
  ]);
});

test("what is missing is named, and a sign that is no MD5", () => {
  expect(checkSignature("https://x/?number=1&sign=2", KEY, NOW).sentences[0]).toContain("email, timestamp missing");
  expect(checkSignature(`${IDENTITY}&sign=abc`, KEY, NOW).sentences[0]).toContain("32 hexadecimal");
});

test("a wrong one ends the command with 1", async () => {
  const ended = await wxdeskHere(["sign", "--check", `${IDENTITY}&sign=${SIGN}`, "--key-file", "-"], { input: "another key" });
  expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining("WRONG"), stderr: "" });
  expect(await wxdeskHere(["sign"])).toMatchObject({ code: 2, stderr: expect.stringContaining("--key-file") });
});

test("an empty key signs nothing", async () => {
  const ended = await wxdeskHere(["sign", "--key-file", "-"], { input: "\n" });
  expect(ended).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("the KEY is empty") });
});

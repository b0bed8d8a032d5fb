import { expect, test } from "vitest";
import { askForAccount } from "../../src/cli/account-questions.ts";
import type { Prompts, Question } from "../../src/cli/terminal/prompts.ts";

/** Somebody who gives these answers, whatever is asked first; a wrong one is noted and the next is given. */
function person(answers: readonly unknown[]): { ask: Prompts; objections: string[]; questions: string[] } {
  const left = [...answers];
  const objections: string[] = [];
  const questions: string[] = [];
  const say = async ({ message, validate }: Question) => {
    questions.push(message);
    for (;;) {
      const answer = String(left.shift());
      const verdict = validate?.(answer) ?? true;
      if (verdict === true) return answer;
      objections.push(verdict);
    }
  };
  const pick = async (message: string) => {
    questions.push(message);
    return left.shift() as never;
  };
  return {
    ask: { text: say, secret: say, choice: ({ message }) => pick(message), yes: (message) => pick(message) },
    objections,
    questions,
  };
}

test("a WeCom app gets WeCom's questions, and its own token and key when the console has them", async () => {
  const token = "tok3n";
  const key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
  const answers = ["wecom", "staff", "Staff app", "ww0123456789abcdef", "1000002", "corp-secret", false, token, key];
  const { ask } = person([...answers, "https://example.udesk.cn/spa1/im_callback", "desk-key"]);
  expect(await askForAccount({}, ["taken"], ask)).toEqual({
    id: "staff",
    name: "Staff app",
    kind: "wecom",
    wechat: { corpId: "ww0123456789abcdef", agentId: 1000002, corpSecret: "corp-secret", token, encodingAesKey: key },
    desk: { url: "https://example.udesk.cn/spa1/im_callback", key: "desk-key" },
  });
});

test("an answer that the API would refuse is asked again, with the API's reason", async () => {
  const answers = [
    "Shop",
    "taken",
    "shop",
    "",
    "Shop",
    "wx 1",
    "wx1",
    false,
    "safe",
    true,
    "example.com",
    "https://example.com",
    "two words",
    "k",
  ];
  const { ask, objections } = person(["official_account", ...answers]);
  await askForAccount({}, ["taken"], ask);
  expect(objections).toEqual([
    expect.stringContaining("must be 1 to 63"),
    "another account has this id",
    "this is needed",
    expect.stringContaining("letters, digits, _ and -"),
    expect.stringContaining("http or https"),
    expect.stringContaining("without blanks"),
  ]);
});

test("what options have said is not asked, and a plain account has no EncodingAESKey", async () => {
  const draft = {
    id: "shop",
    kind: "official_account",
    wechat: { appId: "wx1", encryption: "plain" },
    desk: { url: "https://example.com/im_callback" },
    replies: { async: false },
  };
  const { ask, questions } = person(["Shop", true, "desk-key"]);
  expect(await askForAccount(draft, [], ask)).toEqual({ ...draft, name: "Shop", desk: { ...draft.desk, key: "desk-key" } });
  expect(questions).toEqual([
    expect.stringContaining("Its name"),
    expect.stringContaining("Generate Token?"),
    expect.stringContaining("KEY"),
  ]);
});

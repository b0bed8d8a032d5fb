import { MISTAKES, type Mistake, type MistakeGroup } from "../test/mistakes/list.ts";

const GROUPS: Record<MistakeGroup, { title: string; where: string }> = {
  start: {
    title: "The gateway does not start",
    where: "The start prints it and ends with exit code 2. `doctor` finds all but the last two, which are no mistake while a gateway runs.",
  },
  callbacks: {
    title: "Customers' messages or agents' replies do not come in",
    where:
      "In the log, as `callback.refused`, `push.refused`, `push.abandoned` or `push.accepted`, in the field `detail`. A caller that is refused hears only `401`, `400` or `503`. Overload is a line of its own.",
  },
  rotation: {
    title: "After a secret was changed",
    where: "In the log, likewise. While the overlap lasts nothing of this happens: [secrets.md](secrets.md).",
  },
  messages: {
    title: "A message or a reply does not arrive",
    where: "As `error` of the message (`npx wxdesk message list`), and in its attempts.",
  },
  warnings: {
    title: "An account has a warning",
    where: "Among `warnings` of the account (`npx wxdesk account show`), and said by `npx wxdesk doctor`.",
  },
  answers: { title: "What WeChat and the desk are answered", where: "In the answer itself: in WeChat's console, or in the desk's log." },
  accounts: {
    title: "An account does not work",
    where:
      "Printed by `npx wxdesk doctor` and `npx wxdesk account test`, and in the answer of `POST /api/v1/accounts/{id}/test` as `sentence` and `remedy` (here with `; ` in between).",
  },
  api: {
    title: "The API says no",
    where: "In `detail` of the answer, or in `detail` of the field that `errors` points at. `npx wxdesk` prints both, after the code.",
  },
  cli: {
    title: "A command does not work",
    where: "Printed by `npx wxdesk` (or the command that is named) on standard error; the exit code is 1, or 2 when nothing was tried.",
  },
};

/** docs/troubleshooting.md, whole. Each of its sentences is one that a test has got by making the mistake. */
export function renderTroubleshooting(): string {
  const sections = Object.entries(GROUPS).flatMap(([group, { title, where }]) => {
    const mistakes: Mistake[] = Object.values(MISTAKES[group as MistakeGroup]);
    // As code, so that each can be found with a search for its words.
    const rows = mistakes.map(({ mistake, sentence }) => `| ${mistake} | \`${sentence.replaceAll("|", "\\|")}\` |`);
    return [`## ${title}`, "", where, "", "| mistake | what is said |", "| --- | --- |", ...rows, ""];
  });
  return [
    "# Troubleshooting",
    "",
    "Begin with `npx wxdesk doctor`: it looks at settings, database, keys, clock and every account, and says what to do. Why a message is where it",
    "is, its attempts tell: `npx wxdesk message show <id>`; the codes there are in [platform-codes.md](platform-codes.md) and",
    "[problems.md](problems.md).",
    "",
    "Below are mistakes that are easily made, with the sentence that says so, word for word: `{…}` stands for what differs. Made by `npm run docs`",
    "from [the list](../test/mistakes/list.ts) whose every entry a test makes for real.",
    "",
    ...sections,
  ].join("\n");
}

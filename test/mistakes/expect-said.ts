import { describe, expect, test } from "vitest";
import { MISTAKES, type Mistake, type MistakeGroup, says } from "./list.ts";

/** Makes each mistake of a group, with a function that gives the text in which it is shown. The compiler misses none. */
export function describeMistakes<Group extends MistakeGroup>(
  group: Group,
  make: Record<keyof (typeof MISTAKES)[Group], () => Promise<string>>,
): void {
  describe(`mistakes in ${group}`, () => {
    const mistakes: [string, Mistake][] = Object.entries(MISTAKES[group]);
    test.each(mistakes.map(([id, { mistake, sentence }]) => [mistake, sentence, id] as const))("%s", async (_mistake, sentence, id) => {
      const text = await make[id as keyof typeof make]();
      expect(says(text, sentence), `not said: ${sentence}\nbut: ${text}`).toBe(true);
    });
  });
}

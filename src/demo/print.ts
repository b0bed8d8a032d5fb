/** Who speaks to whom in one line of the demo. */
export interface Line {
  from: string;
  to: string;
  what: string;
}

/** Prints a play line by line and keeps the score. */
export interface Stagehand {
  /** A part of the play. A failed step ends it, and the result is null; the parts after it can be played all the same. */
  scene<Result>(title: string, act: () => Promise<Result>): Promise<Result | null>;
  /** One step: a tick when `act` resolves, with what `toDetail` makes of the result; a cross and the reason when it rejects. */
  step<Result>(line: Line, act: () => Promise<Result>, toDetail?: (result: Result) => string): Promise<Result>;
  say(text?: string): void;
  score(): { passed: number; failed: number };
  /** Nothing is printed from here on: a play that is cut short has steps still running, which fail as the stage is taken down. */
  curtain(): void;
}

const NAME_WIDTH = 8;

export function createStagehand(output: NodeJS.WriteStream): Stagehand {
  const paint = createPaint(output.isTTY === true);
  let isOver = false;
  const say = (text = "") => {
    if (!isOver) output.write(`${text}\n`);
  };
  const score = { passed: 0, failed: 0 };

  return {
    say,
    score: () => ({ ...score }),
    curtain: () => {
      isOver = true;
    },
    scene: async (title, act) => {
      say(`\n${paint.bold(title)}`);
      try {
        return await act();
      } catch (error) {
        if (error instanceof StepFailed) return null;
        throw error;
      }
    },
    step: async ({ from, to, what }, act, toDetail) => {
      const line = `${from.padStart(NAME_WIDTH)} → ${to.padEnd(NAME_WIDTH)} ${what}`;
      try {
        const result = await act();
        score.passed += 1;
        say(`  ${paint.green("✓")} ${line}${toDetail ? paint.dim(`  ${toDetail(result)}`) : ""}`);
        return result;
      } catch (error) {
        score.failed += 1;
        const reason = error instanceof Error ? error.message : String(error);
        say(`  ${paint.red("✗")} ${line}\n${paint.red(indent(reason))}`);
        throw new StepFailed(what, { cause: error });
      }
    },
  };
}

/** Already printed; only ends its scene. */
class StepFailed extends Error {}

function createPaint(coloured: boolean) {
  const sgr = (code: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: sgr(1), dim: sgr(2), red: sgr(31), green: sgr(32) };
}

function indent(text: string): string {
  return text.replace(/^/gm, "      ");
}

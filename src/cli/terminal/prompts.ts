import confirm from "@inquirer/confirm";
import input from "@inquirer/input";
import password from "@inquirer/password";
import select from "@inquirer/select";

export interface Question {
  message: string;
  /** True, or what is wrong with the answer. */
  validate?: (answer: string) => true | string;
}

/** Questions to a person. Each rejects with an ExitPromptError when the person presses Ctrl-C. */
export interface Prompts {
  text(question: Question): Promise<string>;
  /** The answer is never shown: a star stands for each character. */
  secret(question: Question): Promise<string>;
  choice<Value>(question: { message: string; choices: { value: Value; name: string; description?: string }[] }): Promise<Value>;
  yes(message: string, preset: boolean): Promise<boolean>;
}

/** Written to standard error, so that standard output holds the command's answer alone. */
export function createPrompts(streams: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream }): Prompts {
  return {
    text: (question) => input(question, streams),
    secret: (question) => password({ ...question, mask: "*" }, streams),
    choice: ({ message, choices }) => select({ message, choices }, streams),
    yes: (message, preset) => confirm({ message, default: preset }, streams),
  };
}

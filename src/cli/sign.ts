import type { Command } from "commander";
import { z } from "zod";
import { findUnsignable } from "../desks/udesk-message-interface/identity.ts";
import { signIdentity, toDeskTimestamp } from "../desks/udesk-message-interface/sign.ts";
import { checkSignature } from "./check-signature.ts";
import { type Cli, present, withExamples } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { readValue } from "./read-value.ts";

interface SignOptions {
  number: string;
  email: string;
  timestamp?: string;
  keyFile?: string;
  check?: string;
}

const signed = z.object({ sign: z.string(), query: z.string() });
const checked = z.object({ ok: z.boolean(), sentences: z.array(z.string()) });

/** Needs neither database nor gateway. */
export function addSignCommand(program: Command, cli: Cli): void {
  const command = program
    .command("sign")
    .description("make the signature of an im_callback request, or check one and say what is wrong with it")
    .option("--number <phone>", "the customer's phone, digits only", "")
    .option("--email <address>", "the customer's e-mail", "")
    .option("--timestamp <time>", "yyyyMMddHHmmss, Beijing time; now when not given")
    .option("--check <address>", "check this im_callback address, or its query alone")
    .option("--key-file <path>", "file that holds the desk's KEY; - is standard input; asked for when not given")
    .configureHelp({ showGlobalOptions: false });
  command.action(async () => {
    // `--key-file` is also an option of all commands, so commander keeps its value there.
    const options = command.optsWithGlobals<SignOptions>();
    if (options.check === undefined) refuseUnsignable(options);
    const key = (await readKey(options, cli)).trim();
    if (key === "") throw new UsageError("the KEY is empty; give the one that the desk's Message Interface Access page shows");
    const now = new Date();
    if (options.check !== undefined) {
      const verdict = checkSignature(options.check, key, now);
      if (!verdict.ok) cli.failCheck();
      return present(cli, command, verdict, checked, ({ ok, sentences }) =>
        [ok ? "The signature is right." : "The signature is WRONG.", ...sentences.map((sentence) => `  - ${sentence}`)].join("\n"),
      );
    }
    const { number, email, timestamp = toDeskTimestamp(now) } = options;
    if (!/^\d{14}$/.test(timestamp)) throw new UsageError("--timestamp must be yyyyMMddHHmmss, such as 20151124141451");
    const sign = signIdentity({ number, email, timestamp }, key);
    const query = `number=${number}&email=${email}&timestamp=${timestamp}&sign=${sign}`;
    present(cli, command, { sign, query }, signed, (answer) => answer.query);
  });
  withExamples(command, [
    "wxdesk sign --number 13574221234 --email 894733082@qq.com --key-file desk.key",
    "wxdesk sign --check 'https://example.udesk.cn/spa1/im_callback?number=…&sign=…' --key-file desk.key",
  ]);
}

/** @throws UsageError */
function refuseUnsignable(options: SignOptions): void {
  const [name] = findUnsignable(options);
  if (name === undefined) return;
  const allowed = name === "number" ? "digits only" : "a plain address of letters, digits and . _ ~ - around one @";
  throw new UsageError(
    `--${name} must be ${allowed}: the desk hashes the raw value, and one that a URL has to escape (a + arrives as a blank) breaks the signature`,
  );
}

async function readKey({ keyFile }: SignOptions, { terminal }: Cli): Promise<string> {
  if (keyFile !== undefined) return readValue(keyFile, terminal);
  if (terminal.isInteractive) return terminal.ask.secret({ message: "The desk's KEY" });
  throw new UsageError("the desk's KEY is needed: name a file that holds it with --key-file, or - for standard input");
}

import type { ReceivedMessage } from "../emulators/desk.ts";
import type { Seen } from "../emulators/wechat.ts";

export const CUSTOMER = "oPracticeCustomer0000000Zhao";
export const AGENT = "Lily";

export interface PracticePage {
  /** What became of the last form. */
  notice: string;
  entered: { callbackUrl: string; token?: string; encodingAesKey?: string; pushUrl: string };
  document: Record<string, unknown>;
  /** To be typed in another terminal. */
  commands: readonly string[];
  said: readonly ReceivedMessage[];
  seen: readonly Seen[];
}

/** One page without a script: what a newcomer types, pastes, writes and answers, from top to bottom. */
export function renderPractice({ notice, entered, document, commands, said, seen }: PracticePage): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>wxdesk: connect an account yourself</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
  pre, output { display: block; background: #8882; padding: .6rem .8rem; overflow-x: auto }
  fieldset { margin: 1rem 0 } label { display: block; margin: .4rem 0 } input { font: inherit; width: 100%; box-sizing: border-box }
</style>
<h1>Connect an account yourself</h1>
${notice === "" ? "" : `<output>${escapeHtml(notice)}</output>`}
<h2>1. Create the account</h2>
<p>In another terminal, in the same folder:</p>
<pre>${escapeHtml(commands.join("\n"))}</pre>
<p>The file holds what WeChat's and the desk's consoles would show you:</p>
<pre>${escapeHtml(JSON.stringify(document, null, 2))}</pre>
<h2>2. Paste what it printed</h2>
${form("/wechat", "WeChat's console: 服务器配置", "Save: WeChat checks the address", [
  ["url", "URL", entered.callbackUrl],
  ["token", "Token", entered.token],
  ["encodingAesKey", "EncodingAESKey", entered.encodingAesKey],
])}
${form("/desk", "The desk's console: Message Interface Access", "Save", [["pushUrl", "message push server address", entered.pushUrl]])}
<h2>3. Talk</h2>
${form("/customer", "The customer's phone", "Send to the account", [["text", "as customer", ""]])}
${form("/agent", `The desk, where ${AGENT} works`, "Answer the customer", [["text", `as ${AGENT}`, ""]])}
<h3>What the desk received</h3>
${list(said.map(({ text, type }) => text ?? type))}
<h3>What the customer saw</h3>
${list(seen.map(({ text, type, way }) => `${text ?? type} (${way})`))}
<p><a href="/">Look again</a></p>
</html>
`;
}

function form(
  action: string,
  title: string,
  button: string,
  fields: readonly (readonly [name: string, label: string, value?: string])[],
): string {
  const inputs = fields.map(
    ([name, label, value = ""]) =>
      `<label>${escapeHtml(label)} <input name="${name}" value="${escapeHtml(value)}" autocomplete="off"></label>`,
  );
  const parts = [`<legend>${escapeHtml(title)}</legend>`, ...inputs, `<button>${escapeHtml(button)}</button>`];
  return `<form method="post" action="${action}"><fieldset>${parts.join("")}</fieldset></form>`;
}

function list(lines: readonly string[]): string {
  return lines.length === 0 ? "<p>Nothing yet.</p>" : `<ol>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ol>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

import { randomBytes } from "node:crypto";
import type { DeskEmulator } from "../emulators/desk.ts";
import { type LoopbackRequest, startLoopback } from "../emulators/loopback.ts";
import type { LoopbackAnswer } from "../emulators/loopback-answer.ts";
import type { EmulatedAccount, WechatEmulator } from "../emulators/wechat.ts";
import { AGENT, CUSTOMER, renderPractice } from "./practice-page.ts";

/** An account that nobody has connected yet, for a newcomer's own try: its two consoles, its customer and its agent on one page. */
export interface Practice {
  url: string;
  /** What `wxdesk account add --file` takes; Token and EncodingAESKey are left to the gateway. */
  document: Record<string, unknown>;
  close(): Promise<void>;
}

export type KeyedDesk = DeskEmulator & { key: string };

interface PracticeEnds {
  wechat: WechatEmulator;
  desk: KeyedDesk;
}

const APP_ID = "wx00112233445566aa";
/** An agent's reply that goes out as an asynchronous message is there well before; one that is held never comes. */
const REPLY_MS_MAX = 3_000;

/** The page has no state but the emulators'; each form is an ordinary POST, so that `curl -d` does the same. */
export async function openPractice({ wechat, desk }: PracticeEnds, commands: readonly string[]): Promise<Practice> {
  const appSecret = randomBytes(16).toString("hex");
  const account = wechat.addAccount({
    kind: "official_account",
    appId: APP_ID,
    appSecret,
    token: "notEntered",
    encodingAesKey: "A".repeat(43),
    encryption: "safe",
    accountName: "gh_practice0001",
    callbackUrl: "",
  });
  const document = {
    id: "practice",
    name: "My first account",
    kind: "official_account",
    wechat: { appId: APP_ID, appSecret, apiBaseUrl: wechat.url },
    desk: { protocol: "udesk-message-interface", url: desk.url, key: desk.key },
  };
  const state = { pushUrl: "", notice: "" };
  const acts: Readonly<Record<string, (form: URLSearchParams) => Promise<string>>> = {
    "/wechat": (form) => enterAtWechat(account, form),
    "/desk": async (form) => enterAtDesk(desk, state, form),
    "/customer": (form) => write(account, form),
    "/agent": (form) => answer({ wechat, desk }, account, state, form),
  };

  const handle = async ({ method, path, body }: LoopbackRequest): Promise<LoopbackAnswer> => {
    const act = method === "POST" ? acts[path] : undefined;
    if (act !== undefined) {
      state.notice = await act(new URLSearchParams(body.toString("utf8")));
      return toAnswer(303, `${state.notice}\n`, { location: "/" });
    }
    if (method !== "GET" || path !== "/") return toAnswer(404, "there is only one page, at /\n");
    const { token, encodingAesKey } = account.details;
    const entered = {
      callbackUrl: account.callbackUrl,
      pushUrl: state.pushUrl,
      ...(account.callbackUrl !== "" && { token, encodingAesKey }),
    };
    const page = { ...state, entered, document, commands, said: desk.received(CUSTOMER), seen: account.seenBy(CUSTOMER) };
    return toAnswer(200, renderPractice(page), { "content-type": "text/html; charset=utf-8" });
  };
  const { url, close } = await startLoopback(handle);
  return { url, document, close };
}

/** Saving in WeChat's console makes WeChat call the address at once. */
async function enterAtWechat(account: EmulatedAccount, form: URLSearchParams): Promise<string> {
  const entered = (name: string) => form.get(name)?.trim() ?? "";
  const [callbackUrl, token, encodingAesKey] = [entered("url"), entered("token"), entered("encodingAesKey")];
  if (!URL.canParse(callbackUrl)) return "WeChat: the URL is not an address. Copy the line URL that account add printed.";
  if (token === "") return "WeChat: Token is empty.";
  if (!/^[A-Za-z0-9]{43}$/.test(encodingAesKey)) return "WeChat: EncodingAESKey must have 43 letters and digits.";
  account.callbackUrl = callbackUrl;
  account.details = { ...account.details, token, encodingAesKey };
  const { ok, status, body } = await account.verifyUrl();
  if (ok) return "WeChat: saved. The gateway answered WeChat's check of the address.";
  return `WeChat: the check of the address failed (status ${status ?? "none"}: ${body.trim()}). The demo's terminal shows the gateway's log.`;
}

function enterAtDesk(desk: DeskEmulator, state: { pushUrl: string }, form: URLSearchParams): string {
  const pushUrl = form.get("pushUrl")?.trim() ?? "";
  if (!URL.canParse(pushUrl)) return "Desk: this is not an address. Copy the line message push server address that account add printed.";
  desk.connectPush(pushUrl);
  state.pushUrl = pushUrl;
  return "Desk: saved. It calls this address when an agent writes.";
}

async function write(account: EmulatedAccount, form: URLSearchParams): Promise<string> {
  if (account.callbackUrl === "") return "WeChat does not know the gateway yet: fill in its console first.";
  const { acknowledged, tries, problem } = await account.sendText(CUSTOMER, toText(form));
  if (acknowledged) return "WeChat: the gateway has taken the message.";
  const { status, body } = tries.at(-1) ?? { status: null, body: "" };
  return `WeChat: ${problem}; the last answer: status ${status ?? "none"} ${body.trim()}`;
}

async function answer(
  { wechat, desk }: PracticeEnds,
  account: EmulatedAccount,
  { pushUrl }: { pushUrl: string },
  form: URLSearchParams,
): Promise<string> {
  if (pushUrl === "") return "The desk does not know the gateway yet: fill in its console first.";
  desk.assign(CUSTOMER, AGENT);
  const text = toText(form);
  const before = account.seenBy(CUSTOMER).length;
  const { status, body } = await desk.pushText(CUSTOMER, text, { status: "chatting", turn: 0, agentName: AGENT });
  if (status !== 200) return `Desk: the gateway refused the reply: status ${status ?? "none"} ${body.trim()}`;
  const hasCome = () =>
    account
      .seenBy(CUSTOMER)
      .slice(before)
      .some((seen) => seen.text === text);
  return wechat.waitForSeen(CUSTOMER, hasCome, REPLY_MS_MAX).then(
    () => "Desk: the reply has reached the customer.",
    () =>
      "Desk: the gateway has taken the reply, but the customer has not seen it. Why: npx wxdesk conversation list, npx wxdesk message list",
  );
}

function toText(form: URLSearchParams): string {
  return form.get("text")?.trim() || "hello";
}

function toAnswer(status: number, body: string, headers: Record<string, string> = {}): LoopbackAnswer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body };
}

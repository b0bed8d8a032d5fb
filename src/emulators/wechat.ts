import { randomInt } from "node:crypto";
import { createBook, type Wanted } from "./book.ts";
import { type Caller, createCaller } from "./exchange.ts";
import { startLoopback } from "./loopback.ts";
import type { Misbehaviour } from "./misbehaviour.ts";
import { createAccount, type EmulatedAccount } from "./wechat-account.ts";
import type { AccountDetails } from "./wechat-account-state.ts";
import { answerApiCall } from "./wechat-api.ts";
import { createTokens } from "./wechat-tokens.ts";
import { createMediaShelf, type Media, type Seen, toLine, type World } from "./wechat-world.ts";

export type { EmulatedAccount } from "./wechat-account.ts";
export type { AccountDetails } from "./wechat-account-state.ts";
export type { Delivery } from "./wechat-callback.ts";
export type { PassiveReply } from "./wechat-reply.ts";
export type { Seen } from "./wechat-world.ts";

export interface WechatOptions {
  /** How long an answer to a callback may take. */
  callbackTimeoutMs?: number;
  /** When a request to a callback address is given up: at the limit, unless a test has another sign for it than time. */
  hangUpAfter?: (limitMs: number) => AbortSignal;
  /** How often a callback is tried in all. */
  tries?: number;
  /** How long after a failed try the next one comes. */
  pauseMs?: number;
  /** The platform's clock, for tokens, windows and timestamps. */
  now?: () => Date;
}

/** api.weixin.qq.com, qyapi.weixin.qq.com and the customers' phones, on one loopback address. */
export interface WechatEmulator {
  /** What an account's `apiBaseUrl` is set to. */
  url: string;
  addAccount(account: AccountDetails & { callbackUrl: string }): EmulatedAccount;
  /** What the contact saw of the account, oldest first. */
  seenBy(account: EmulatedAccount, openId: string): Seen[];
  /** Waits until the contact has seen that many things, or one that the predicate likes, of whichever account. */
  waitForSeen(openId: string, wanted: Wanted<Seen>, timeoutMs?: number): Promise<Seen[]>;
  /** How many requests it has made to callback addresses, the one under way included: each try counts. */
  callbacks(): number;
  /** How many API calls arrived, spoilt ones included. */
  calls(path?: string | RegExp): number;
  /** Spoils API calls. Returns a function that takes the rule away. */
  misbehave(rule: Misbehaviour): () => void;
  /** The file behind a media id, uploaded or sent by a customer. */
  mediaOf(mediaId: string): Pick<Media, "type" | "contentType" | "fileName" | "bytes"> | null;
  /** Ends every access token before its time. */
  expireTokens(): void;
  close(): Promise<void>;
}

// developers.weixin.qq.com, Access_Overview: the connection is closed after five seconds, three tries in all.
const CALLBACK_TIMEOUT_MS = 5_000;
const TRIES = 3;
/** Only ends what hangs: on a machine that is busy with other things, a second's work takes many. */
const WAIT_MS = 60_000;
/** As WeChat itself signs its callbacks (wechat.md §4). */
const USER_AGENT = "Mozilla/4.0";

export async function startWechat(options: WechatOptions = {}): Promise<WechatEmulator> {
  const { callbackTimeoutMs = CALLBACK_TIMEOUT_MS, hangUpAfter = AbortSignal.timeout.bind(AbortSignal) } = options;
  const { tries = TRIES, pauseMs = 0, now: clock = () => new Date() } = options;
  const now = () => clock().getTime();
  const caller = createCaller(USER_AGENT);
  let callbacks = 0;
  const counting: Caller = {
    ...caller,
    exchange: (request) => {
      callbacks++;
      return caller.exchange(request);
    },
  };
  const book = createBook<Seen>("seen by", toLine);
  const limits = { callbackTimeoutMs, hangUpAfter, tries, pauseMs };
  const world: World = { now, caller: counting, book, shelf: createMediaShelf(), nextMessageId: countMessages(), ...limits };
  const accounts = new Set<EmulatedAccount>();
  const tokens = createTokens(now);
  const server = await startLoopback((request) => answerApiCall(request, { accounts, tokens, world }), clock);

  return {
    url: server.url,
    addAccount: ({ callbackUrl, ...details }) => {
      const account = createAccount(details, callbackUrl, world, server.url);
      accounts.add(account);
      return account;
    },
    seenBy: (account, openId) => account.seenBy(openId),
    waitForSeen: (openId, wanted, timeoutMs = WAIT_MS) => book.waitFor(openId, wanted, timeoutMs),
    callbacks: () => callbacks,
    calls: server.calls,
    misbehave: server.misbehave,
    mediaOf: world.shelf.get,
    expireTokens: tokens.expireAll,
    close: async () => {
      await server.close();
      await caller.close();
    },
  };
}

/** MsgIds beyond 2^53, so that whoever makes a number of one loses digits and is found out; different with each start. */
function countMessages(): () => bigint {
  let latest = 2n ** 62n + BigInt(randomInt(2 ** 40)) * 1_000_000n;
  return () => ++latest;
}

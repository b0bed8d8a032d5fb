const MINUTE_MS = 60_000;

/** What a customer's act opens for asynchronous messages (wechat.md §8, the quotas since 2023-06). */
const ALLOWANCES = {
  message: { windowMs: 48 * 60 * MINUTE_MS, count: 5 },
  gesture: { windowMs: MINUTE_MS, count: 3 },
} as const;

const GESTURES: ReadonlySet<string> = new Set(["subscribe", "scan", "click"]);

interface Follower {
  following: boolean;
  windowClosesAt: number;
  remaining: number;
}

/** The people who know an account: who may still be written to, and how often. */
export interface Followers {
  wrote(openId: string): void;
  /** Someone did what an event of this name tells. */
  did(openId: string, event: string): void;
  /** From now on the account knows them, but may not write before they do. */
  add(openId: string): void;
  leave(openId: string): void;
  knows(openId: string): boolean;
  follows(openId: string): boolean;
  /** Takes one of the asynchronous messages still allowed; else the code of the refusal. */
  take(openId: string): 0 | 45015 | 45047;
}

export function createFollowers(now: () => number): Followers {
  const followers = new Map<string, Follower>();

  const meet = (openId: string): Follower => {
    const follower = followers.get(openId) ?? { following: true, windowClosesAt: 0, remaining: 0 };
    followers.set(openId, follower);
    return follower;
  };

  const allow = (follower: Follower, act: keyof typeof ALLOWANCES) => {
    const { windowMs, count } = ALLOWANCES[act];
    const open = follower.windowClosesAt > now();
    // A new act refreshes to the better of old and new, it does not add up.
    follower.remaining = open ? Math.max(follower.remaining, count) : count;
    follower.windowClosesAt = Math.max(follower.windowClosesAt, now() + windowMs);
  };

  return {
    wrote: (openId) => {
      const follower = meet(openId);
      follower.following = true;
      allow(follower, "message");
    },
    did: (openId, event) => {
      const follower = meet(openId);
      follower.following = event.toLowerCase() !== "unsubscribe";
      if (GESTURES.has(event.toLowerCase())) allow(follower, "gesture");
    },
    add: (openId) => {
      meet(openId).following = true;
    },
    leave: (openId) => {
      meet(openId).following = false;
    },
    knows: (openId) => followers.has(openId),
    follows: (openId) => followers.get(openId)?.following ?? false,
    take: (openId) => {
      const follower = meet(openId);
      if (follower.windowClosesAt <= now()) return 45015;
      if (follower.remaining <= 0) return 45047;
      follower.remaining -= 1;
      return 0;
    },
  };
}

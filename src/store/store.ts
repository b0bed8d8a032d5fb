import type { SecretBox } from "../domain/secret-box.ts";
import type { PushRejectStore, QueueStore, Store } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { createAccessTokenStore } from "./accounts/access-tokens.ts";
import { createAccountStore } from "./accounts/accounts.ts";
import { createApiKeyStore } from "./api-keys.ts";
import { createAuditStore } from "./audit.ts";
import { createConversationStore } from "./conversations.ts";
import type { Database } from "./database/database.ts";
import { createHealthStore } from "./database/prove-writable.ts";
import { announce } from "./queue/announce.ts";
import { begin, confirmAnswer } from "./queue/begin.ts";
import { claimForCallback } from "./queue/claim-for-callback.ts";
import { claimDue, claimQueue, next } from "./queue/claim-queues.ts";
import { createOutboundStore } from "./queue/enqueue-outbound.ts";
import { beat, freeAllClaims, freeClaims, retire } from "./queue/heartbeat.ts";
import { createInboundStore } from "./queue/record-inbound.ts";
import { closeCallback, release, releaseLost, withdraw } from "./queue/release.ts";
import { settle } from "./queue/settle.ts";
import { createReplayStore } from "./replay.ts";
import { createRetentionStore } from "./retention.ts";

export function createStore(database: Database, box: SecretBox): Store {
  const { prisma } = database;
  return {
    inbound: createInboundStore(database),
    outbound: createOutboundStore(database),
    queues: createQueueStore(database),
    replays: createReplayStore(database),
    retention: createRetentionStore(database),
    accounts: createAccountStore(prisma, box),
    accessTokens: createAccessTokenStore(prisma, box),
    conversations: createConversationStore(database),
    apiKeys: createApiKeyStore(prisma),
    audit: createAuditStore(prisma),
    pushRejects: createPushRejectStore(prisma),
    health: createHealthStore(database),
  };
}

function createQueueStore(database: Database): QueueStore {
  return {
    announce: announce(database),
    claimDue: claimDue(database),
    claimQueue: claimQueue(database),
    next: next(database),
    claimForCallback: claimForCallback(database),
    begin: begin(database),
    settle: settle(database),
    withdraw: withdraw(database),
    release: release(database),
    releaseLost: releaseLost(database),
    beat: beat(database),
    freeClaims: freeClaims(database),
    freeAllClaims: freeAllClaims(database),
    retire: retire(database),
    confirmAnswer: confirmAnswer(database),
    closeCallback: closeCallback(database),
  };
}

/** The last ones only: a desk that pushes rubbish must not fill the disk. */
const REJECTS_KEPT = 100;

function createPushRejectStore(prisma: PrismaClient): PushRejectStore {
  return {
    put: async ({ accountId, reason, contentType, body }) => {
      await prisma.pushReject.create({ data: { accountId, reason, contentType: contentType ?? null, body } });
      await prisma.$executeRaw`
        DELETE FROM push_rejects WHERE account_id = ${accountId}
          AND id <= (SELECT id FROM push_rejects WHERE account_id = ${accountId} ORDER BY id DESC OFFSET ${REJECTS_KEPT}::int LIMIT 1)`;
    },
  };
}

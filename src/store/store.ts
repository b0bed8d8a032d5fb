import type { SecretBox } from "../domain/secret-box.ts";
import type { OutboxStore, PushRejectStore, Store } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { createAccessTokenStore } from "./access-tokens.ts";
import { createAccountStore } from "./accounts.ts";
import { announce } from "./announce.ts";
import { createApiKeyStore } from "./api-keys.ts";
import { createAuditStore } from "./audit.ts";
import { begin } from "./begin.ts";
import { claimLane } from "./claim.ts";
import { claimDue } from "./claim-due.ts";
import { claimForCallback } from "./claim-for-callback.ts";
import { closeCallback } from "./close-callback.ts";
import { confirmAnswer } from "./confirm-answer.ts";
import { createConversationStore } from "./conversations.ts";
import type { Database } from "./database.ts";
import { createOutboundStore } from "./enqueue-outbound.ts";
import { createHealthStore } from "./prove-writable.ts";
import { createInboundStore } from "./record-inbound.ts";
import { release, releaseAll, releaseEverything } from "./release.ts";
import { createReplayStore } from "./replay.ts";
import { createRetentionStore } from "./retention.ts";
import { settle } from "./settle.ts";
import { settleTogether } from "./settle-together.ts";
import { withdraw } from "./withdraw.ts";

export function createStore(database: Database, box: SecretBox): Store {
  const { prisma } = database;
  return {
    inbound: createInboundStore(prisma),
    outbound: createOutboundStore(prisma),
    outbox: createOutboxStore(database),
    replays: createReplayStore(prisma),
    retention: createRetentionStore(database),
    accounts: createAccountStore(prisma, box),
    accessTokens: createAccessTokenStore(prisma, box),
    conversations: createConversationStore(prisma),
    apiKeys: createApiKeyStore(prisma),
    audit: createAuditStore(prisma),
    pushRejects: createPushRejectStore(prisma),
    health: createHealthStore(database),
  };
}

function createOutboxStore(database: Database): OutboxStore {
  const { prisma } = database;
  const settleOne = settle(prisma);
  return {
    announce: announce(database),
    claimDue: claimDue(prisma),
    claimLane: claimLane(prisma),
    claimForCallback: claimForCallback(prisma),
    begin: begin(prisma),
    settle: settleOne,
    settleTogether: settleTogether(prisma, settleOne),
    withdraw: withdraw(prisma),
    release: release(prisma),
    releaseAll: releaseAll(prisma),
    releaseEverything: releaseEverything(prisma),
    confirmAnswer: confirmAnswer(prisma),
    closeCallback: closeCallback(prisma),
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

import type { SecretBox } from "../domain/secret-box.ts";
import type { OutboxStore, PushRejectStore, Store } from "../domain/store.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { createAccessTokenStore } from "./accounts/access-tokens.ts";
import { createAccountStore } from "./accounts/accounts.ts";
import { createApiKeyStore } from "./api-keys.ts";
import { createAuditStore } from "./audit.ts";
import { createConversationStore } from "./conversations.ts";
import type { Database } from "./database/database.ts";
import { createHealthStore } from "./database/prove-writable.ts";
import { announce } from "./queue/announce.ts";
import { begin } from "./queue/begin.ts";
import { claimLane } from "./queue/claim.ts";
import { claimDue } from "./queue/claim-due.ts";
import { claimForCallback } from "./queue/claim-for-callback.ts";
import { closeCallback } from "./queue/close-callback.ts";
import { confirmAnswer } from "./queue/confirm-answer.ts";
import { createOutboundStore } from "./queue/enqueue-outbound.ts";
import { createInboundStore } from "./queue/record-inbound.ts";
import { release, releaseAll, releaseEverything } from "./queue/release.ts";
import { createReplayStore } from "./queue/replay.ts";
import { settle } from "./queue/settle.ts";
import { settleTogether } from "./queue/settle-together.ts";
import { withdraw } from "./queue/withdraw.ts";
import { createRetentionStore } from "./retention.ts";

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

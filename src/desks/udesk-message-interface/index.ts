import type { Desk } from "../../domain/desk.ts";
import type { UdeskDeps } from "./deps.ts";
import { openPush } from "./push.ts";
import { submit } from "./submit.ts";
import { testChannel } from "./test-channel.ts";

/** Udesk's message interface (消息接口接入): signed XML to the desk; back from it a push, in any of several forms. */
export function createUdeskMessageInterface(deps: UdeskDeps): Desk {
  return {
    submit: (message, conversation, signal) => submit(message, conversation, deps, signal),
    openPush: (request) => openPush(request, deps),
    pushAcknowledgement: { contentType: "application/json", body: '{"errcode":0,"errmsg":"ok","success":true}' },
    testChannel: (signal) => testChannel(deps, signal),
  };
}

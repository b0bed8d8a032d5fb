import { afterAll, beforeAll, expect, test } from "vitest";
import type { Role } from "../../../src/domain/api-key.ts";
import { callWith } from "./app.ts";
import { createKey, type EveryRoute, openEveryRoute } from "./every-route.ts";

const LEAST_ROLE: Readonly<Record<string, Role>> = {
  "POST /accounts": "admin",
  "GET /accounts": "admin",
  "GET /accounts/:id": "admin",
  "PATCH /accounts/:id": "admin",
  "DELETE /accounts/:id": "admin",
  "POST /accounts/:id/enable": "admin",
  "POST /accounts/:id/disable": "admin",
  "POST /accounts/:id/test": "admin",
  "POST /accounts/:id/secrets/:name": "admin",
  "DELETE /accounts/:id/secrets/:name/previous": "admin",
  "GET /conversations": "viewer",
  "GET /conversations/:id": "viewer",
  "GET /accounts/:id/contacts/:openId/conversation": "viewer",
  "PATCH /conversations/:id": "operator",
  "GET /conversations/:id/messages": "viewer",
  "GET /messages/:id": "viewer",
  "POST /conversations/:id/messages": "operator",
  "POST /messages/:id/retry": "operator",
  "POST /messages/retry": "operator",
  "POST /api-keys": "admin",
  "GET /api-keys": "admin",
  "DELETE /api-keys/:id": "admin",
  "GET /audit": "admin",
};

const ROLES = ["viewer", "operator", "admin"] as const;

let opened: EveryRoute;

beforeAll(async () => {
  opened = await openEveryRoute();
});

afterAll(() => opened.close());

test("every route has the least role that it was meant to have", () => {
  expect(Object.fromEntries(opened.routes.map(({ name, role }) => [name, role]))).toEqual(LEAST_ROLE);
});

test("every route refuses the roles below its own with 403 and names what it takes, and lets the others in", async () => {
  for (const role of ROLES) {
    const call = callWith(opened.app, (await createKey(opened.store, { role })).key);
    for (const { name, method, url } of opened.routes) {
      const needed = LEAST_ROLE[name] ?? "admin";
      const answer = await call(method, url.replaceAll(/:\w+/g, "unknown"));
      const isAllowed = ROLES.indexOf(role) >= ROLES.indexOf(needed);
      if (isAllowed) expect([401, 403], `${role}: ${name}`).not.toContain(answer.statusCode);
      else
        expect(answer.json(), `${role}: ${name}`).toMatchObject({ code: "FORBIDDEN", detail: expect.stringContaining(`role ${needed}`) });
    }
  }
});

import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApi } from "./api/app.ts";

let app: FastifyInstance;

beforeAll(async () => {
  app = await createApi();
});

afterAll(() => app.close());

test("the document describes every route of the API with what it takes, what it answers and who may call it", async () => {
  const document = (await app.inject("/openapi.json")).json();
  expect(document.openapi).toBe("3.1.0");
  const operations = Object.entries<Record<string, object>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
  );
  expect(operations.map(({ route }) => route).sort()).toEqual([
    "DELETE /api/v1/accounts/{id}",
    "DELETE /api/v1/accounts/{id}/secrets/{name}/previous",
    "DELETE /api/v1/api-keys/{id}",
    "GET /api/v1/accounts",
    "GET /api/v1/accounts/{id}",
    "GET /api/v1/accounts/{id}/contacts/{openId}/conversation",
    "GET /api/v1/api-keys",
    "GET /api/v1/audit",
    "GET /api/v1/conversations",
    "GET /api/v1/conversations/{id}",
    "GET /api/v1/conversations/{id}/messages",
    "GET /api/v1/messages/{id}",
    "PATCH /api/v1/accounts/{id}",
    "PATCH /api/v1/conversations/{id}",
    "POST /api/v1/accounts",
    "POST /api/v1/accounts/{id}/disable",
    "POST /api/v1/accounts/{id}/enable",
    "POST /api/v1/accounts/{id}/secrets/{name}",
    "POST /api/v1/accounts/{id}/test",
    "POST /api/v1/api-keys",
    "POST /api/v1/conversations/{id}/messages",
    "POST /api/v1/messages/retry",
    "POST /api/v1/messages/{id}/retry",
  ]);
  for (const { operation } of operations) {
    expect(operation).toMatchObject({
      operationId: expect.any(String),
      summary: expect.any(String),
      description: expect.stringMatching(/Needs the role (admin|operator|viewer)(, and a key for all accounts)?\./),
      security: [{ bearer: [] }],
      responses: { default: { content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } } },
    });
  }
  expect(document.components.securitySchemes.bearer).toMatchObject({ type: "http", scheme: "bearer" });
});

test("every reference in the document leads somewhere, and every named schema is referred to", async () => {
  const document = (await app.inject("/openapi.json")).json();
  const references = new Set(JSON.stringify(document).match(/#\/components\/schemas\/\w+/g));
  expect(references.size).toBe(Object.keys(document.components.schemas).length);
  expect([...references]).toEqual(expect.arrayContaining(["#/components/schemas/Account", "#/components/schemas/Conversation"]));
  for (const reference of references) expect(document.components.schemas).toHaveProperty(reference.replace("#/components/schemas/", ""));
});

test("the page for people is served", async () => {
  const answer = await app.inject("/docs/");
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["content-type"]).toContain("text/html");
});

import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../src/base/logger.ts";
import type { ApiDeps } from "../../src/http/api/deps.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { VERSION } from "../../src/version.ts";

type Json = Record<string, unknown>;

let document: Json & {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
  tags: { name: string }[];
};

interface Operation extends Json {
  operationId: string;
  tags: string[];
  parameters?: { in: string; name: string; required?: boolean; schema: Json }[];
  requestBody?: { content: Record<string, Json> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

beforeAll(async () => {
  const app = await createHttpServer({
    logger: createLogger({ level: "silent" }),
    version: VERSION,
    surfaces: null,
    api: {} as ApiDeps,
    operations: {
      health: { check: async () => {} },
      toDatabaseFault: () => null,
      lastFault: { current: () => null, forget: () => {} },
      worker: () => true,
      isStopping: () => false,
    },
  });
  document = (await app.inject("/openapi.json")).json();
  await app.close();
});

function operations(): { route: string; path: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, path, operation })),
  );
}

/** Every object in the document with the way to it, as a JSON pointer. */
function* walk(value: unknown, pointer = ""): Generator<{ pointer: string; node: Json }> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield { pointer, node: value as Json };
  for (const [key, child] of Object.entries(value)) {
    // What stands in an example is no part of the description.
    if (key !== "examples" && key !== "example") yield* walk(child, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  }
}

/** A schema's examples are a list of values; a body's are one, or several that are named, and stand beside its schema. */
function examples(): { pointer: string; values: unknown[] }[] {
  return [...walk(document)].flatMap(({ pointer, node }) => {
    if (Array.isArray(node.examples)) return { pointer, values: node.examples };
    if (node.example !== undefined) return { pointer: `${pointer}/schema`, values: [node.example] };
    if (typeof node.examples !== "object" || node.examples === null) return [];
    return {
      pointer: `${pointer}/schema`,
      values: Object.values(node.examples as Record<string, { value: unknown }>).map(({ value }) => value),
    };
  });
}

test("docs/openapi.json is what the gateway serves; `npx vitest run test/http/openapi-document.test.ts -u` writes it anew", async () => {
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot("../../docs/openapi.json");
});

describe("as an OpenAPI 3.1 document", () => {
  test("it names what it is, and every operation once, with a tag that is described", () => {
    expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "wxdesk", version: expect.stringMatching(/^\d+\.\d+\.\d+$/) } });
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(ids.length).toBeGreaterThan(15);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operations()) expect(tags).toEqual(expect.arrayContaining(operation.tags));
  });

  test("every parameter of a path is declared, once and as required, and none besides", () => {
    for (const { route, path, operation } of operations()) {
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect([route, declared.map(({ name }) => name).sort()]).toEqual([route, named.sort()]);
      for (const { required } of declared) expect(required).toBe(true);
    }
  });

  test("every answer is described, and every reference leads somewhere", () => {
    for (const { operation } of operations()) {
      expect(Object.keys(operation.responses).some((status) => status.startsWith("2"))).toBe(true);
      for (const { description } of Object.values(operation.responses)) expect(description).toEqual(expect.any(String));
    }
    const references = [...walk(document)].flatMap(({ node }) => (typeof node.$ref === "string" ? [node.$ref] : []));
    expect(references.length).toBeGreaterThan(15);
    for (const reference of references)
      expect(Object.keys(document.components.schemas)).toContain(reference.replace("#/components/schemas/", ""));
  });

  test("nothing is left of OpenAPI 3.0", () => {
    for (const { pointer, node } of walk(document)) {
      expect([
        pointer,
        Object.keys(node).filter((key) => key === "nullable" || (key === "exclusiveMinimum" && node[key] === true)),
      ]).toEqual([pointer, []]);
    }
  });
});

describe("its examples", () => {
  test("are all valid, and the schemas they stand on refuse something else", () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    ajv.addSchema(document, "document");
    const found = examples();
    expect(found.length).toBeGreaterThan(15);
    for (const { pointer, values } of found) {
      const isValid = ajv.compile({ $ref: `document#${encodeURI(pointer)}` });
      for (const value of values) {
        isValid(value);
        expect({ pointer, value, errors: isValid.errors ?? null }).toEqual({ pointer, value, errors: null });
      }
      expect([pointer, isValid(null)]).toEqual([pointer, false]);
    }
  });

  test("stand on every body that is sent and on every named schema", () => {
    for (const { route, operation } of operations()) {
      for (const body of Object.values(operation.requestBody?.content ?? {}))
        expect([route, body.example ?? body.examples]).toEqual([route, expect.anything()]);
    }
    const { SecretMark, ...named } = document.components.schemas;
    expect(SecretMark).toBeDefined();
    for (const [name, schema] of Object.entries(named)) expect([name, schema.examples]).toEqual([name, expect.any(Array)]);
  });
});

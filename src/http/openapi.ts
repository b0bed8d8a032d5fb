import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyPluginAsync } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { DOCS_POLICY } from "./security-headers.ts";

export interface OpenapiOptions {
  version: string;
}

/**
 * `GET /openapi.json` and `/docs`, from the same schemas that validate. Register it before the surfaces it should describe: it
 * hears of routes as they are added. Routes without a tag stay out.
 */
export const openapiPlugin: FastifyPluginAsync<OpenapiOptions> = async (app, { version }) => {
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: "3.1.0",
      info: { title: "wxdesk", version, description: DESCRIPTION },
      tags: [
        { name: "accounts", description: "WeChat accounts and their desks" },
        { name: "conversations", description: "Contacts and what the desk says of them" },
        { name: "messages", description: "What was said in either direction" },
        { name: "access", description: "API keys, and who changed what" },
        { name: "operations", description: "For whoever runs the gateway" },
      ],
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer", description: "An API key." } } },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutInputs(jsonSchemaTransformObject(document)),
  });
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: DOCS_POLICY });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
};

// Stays in the scope it is registered in, as fastify-plugin would have it: only there do the routes of its siblings pass by.
Object.assign(openapiPlugin, { [Symbol.for("skip-override")]: true });

/** The transform lists each named schema a second time, as `…Input`. Only answers have named schemas, so nothing refers to those. */
function withoutInputs<Document extends object>(document: Document): Document {
  if (!("components" in document)) return document;
  const { components } = document;
  if (typeof components !== "object" || components === null || !("schemas" in components)) return document;
  const answers = Object.entries(components.schemas ?? {}).filter(([name]) => !name.endsWith("Input"));
  return { ...document, components: { ...components, schemas: Object.fromEntries(answers) } };
}

const DESCRIPTION = `Message gateway between WeChat and a customer-service desk.

Every error is an RFC 9457 problem with a stable \`code\`; \`detail\` says what to do, \`errors\` point at the fields. Roles: \`viewer\` reads
conversations and messages, \`operator\` also writes to customers, \`admin\` also manages accounts and keys. To a key that is limited to
accounts, what belongs to another account is not there. Moments are ISO 8601 in UTC with milliseconds. Text with NUL or unpaired surrogates is refused everywhere. Unknown fields and query parameters are refused.`;

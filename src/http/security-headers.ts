import type { FastifyHelmetOptions } from "@fastify/helmet";

/** Pages of ours load what the gateway itself serves, and stand in no frame. Nothing is written into a page, so nothing inline runs. */
const POLICY = {
  "default-src": ["'none'"],
  "script-src": ["'self'"],
  "style-src": ["'self'"],
  "img-src": ["'self'", "data:"],
  "font-src": ["'self'"],
  "connect-src": ["'self'"],
  "form-action": ["'self'"],
  "base-uri": ["'none'"],
  "frame-ancestors": ["'none'"],
};

/**
 * On every answer. Without Strict-Transport-Security: the gateway speaks plain HTTP, where browsers ignore it; whatever holds the
 * certificate in front of it should say it.
 */
export const SECURITY_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: { useDefaults: false, directives: POLICY },
  strictTransportSecurity: false,
  xFrameOptions: { action: "deny" },
};

/** The page of Swagger UI sets styles of single elements. */
export const DOCS_POLICY: Readonly<Record<string, string[]>> = { ...POLICY, "style-src": ["'self'", "'unsafe-inline'"] };

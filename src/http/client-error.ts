import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { Problem } from "./problem.ts";

/** What Node could not make a request of, before any route knows of it: answered as a problem, and cut off. */
export function answerClientError(error: Error, socket: Socket & { _httpMessage?: ServerResponse | null }): void {
  // An answer that is under way would be torn apart by another.
  const isAnswerable = socket.writable && !socket._httpMessage?.headersSent;
  if (isAnswerable) {
    const problem = toProblem("code" in error ? error.code : undefined);
    const body = JSON.stringify(problem.toBody());
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      "Content-Type: application/problem+json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "X-Content-Type-Options: nosniff",
      "Connection: close",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  }
  // Without the error: it holds the raw bytes, a key among them.
  socket.destroy();
}

/** An `Expect` that is not `100-continue`. Node hands it to nobody else: without this it answers by itself, with an empty body. */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const problem = new Problem("EXPECTATION_UNKNOWN", 'send no Expect header, or "100-continue"');
  response.writeHead(problem.status, {
    "content-type": "application/problem+json",
    "x-content-type-options": "nosniff",
    connection: "close",
  });
  response.end(JSON.stringify(problem.toBody()));
}

function toProblem(code: unknown): Problem {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new Problem("REQUEST_TIMEOUT", "send the whole request without pauses");
  if (code === "HPE_HEADER_OVERFLOW") return new Problem("HEADERS_TOO_LARGE", "send fewer or shorter headers, or a shorter address");
  return new Problem("REQUEST_INVALID", "send HTTP/1.1");
}

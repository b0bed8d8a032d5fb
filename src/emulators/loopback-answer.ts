export interface LoopbackAnswer {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
}

export function json(value: unknown): LoopbackAnswer {
  return { status: 200, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(value) };
}

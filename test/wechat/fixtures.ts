import { readFileSync } from "node:fs";

export interface Vector {
  id: string;
  op: "verify_url" | "verify_url_plain" | "decrypt" | "encrypt" | "sign_plain" | "sign_msg" | "key";
  token: string;
  timestamp: string;
  nonce: string;
  encodingAESKey: string;
  receiveId: string;
  signature?: string;
  msgSignature?: string;
  encrypt: string;
  plaintext: string;
  randomHex: string;
  keyHex?: string;
  query?: string;
  body?: string;
  reencryptsWithPad32: boolean;
  expect: { ok: boolean; error?: "signature" | "receiveid" | "length" | "block" | "base64" | "key" };
}

export interface Sample {
  file: string;
  account: string;
  leafText?: Record<string, string>;
  msgType?: string;
  event?: string;
  infoType?: string;
  identity?: string;
}

export interface HostileSample {
  file: string;
  expect: string;
}

const folder = new URL("../fixtures/wechat/", import.meta.url);

export const vectors: Vector[] = readJson("crypto-vectors.json");

const index: { samples: Sample[]; hostile: HostileSample[] } = readJson("INDEX.json");

export const xmlSamples = index.samples.filter(({ file }) => file.endsWith(".xml"));
export const jsonSamples = index.samples.filter(({ file }) => file.endsWith(".json"));
export const hostileSamples = index.hostile;

export function readSample(file: string): Buffer {
  return readFileSync(new URL(`inbound/${file}`, folder));
}

export function readHostile({ file }: HostileSample): Buffer {
  return readFileSync(new URL(file, folder));
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, folder), "utf8"));
}

import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { PGlite } from "@electric-sql/pglite";
import { rotateMasterKey } from "../../src/app/rotate-master-key.ts";
import { readConfig } from "../../src/config.ts";

/*
 * A rotation in a process of its own. WHERE names the step before which it is killed: `link`, `rename` or `rm` of a file by the end of its
 * new name (`rename master.key`), or the database's message of that number once the new key is there (`message 40`). "nowhere": it ends.
 */
const { WHERE: where = "nowhere", ...environment } = process.env;
let messages = 0;
let isBegun = false;

const stepOf = (verb: "link" | "rename" | "rm", path: unknown) => {
  if (where === `${verb} ${String(path).split("/").at(-1)}`) process.kill(process.pid, "SIGKILL");
};
const { link, rename, rm } = fs;
fs.link = async (from, to) => {
  stepOf("link", to);
  await link(from, to);
};
fs.rename = async (from, to) => {
  stepOf("rename", to);
  await rename(from, to);
  isBegun = true;
};
fs.rm = async (path, options) => {
  stepOf("rm", path);
  await rm(path, options);
};
syncBuiltinESMExports();

const { execProtocolRaw } = PGlite.prototype;
PGlite.prototype.execProtocolRaw = function (...given) {
  if (isBegun && where === `message ${++messages}`) process.kill(process.pid, "SIGKILL");
  return execProtocolRaw.apply(this, given);
};

await rotateMasterKey(readConfig(environment), { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} });
process.stdout.write(`${messages} messages\n`);

// Writes the pages of docs that are made from the code. `npm test` fails when one of them is behind.
import { writeFileSync } from "node:fs";
import { renderPlatformCodes } from "./platform-codes.ts";
import { renderTroubleshooting } from "./troubleshooting.ts";

const docs = new URL("../docs/", import.meta.url);
writeFileSync(new URL("platform-codes.md", docs), renderPlatformCodes());
writeFileSync(new URL("troubleshooting.md", docs), renderTroubleshooting());

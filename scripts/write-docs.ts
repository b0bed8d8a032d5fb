// Writes the pages of docs that are made from the code. `npm test` fails when one of them is behind.
import { writeFileSync } from "node:fs";
import { renderPlatformCodes } from "./platform-codes.ts";

writeFileSync(new URL("../docs/platform-codes.md", import.meta.url), renderPlatformCodes());

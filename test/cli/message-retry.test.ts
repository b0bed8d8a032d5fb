import { expect, test } from "vitest";
import { copyDataFolder, prepareDataFolder } from "../crash/stage.ts";
import { wxdeskHere } from "./wxdesk.ts";

prepareDataFolder();

test("where nothing was to be sent again, nothing is said of when it leaves", async () => {
  const environment = { WXDESK_DATA_DIR: await copyDataFolder() };
  const ended = await wxdeskHere(["message", "retry", "--state", "dead"], { environment });
  expect(ended).toMatchObject({ code: 0, stdout: "0 sent again.\n" });
  expect(ended.stderr).not.toContain("They leave");
});

import { startRoute } from "../lib/route.ts";
import { serve } from "../lib/serve.ts";

/** The limit: takes the same bytes and reads none of them. */
let read = 0;
const address = await startRoute(() => {
  read++;
  return "success";
});

serve({ address: () => address, count: () => read });

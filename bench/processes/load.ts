import { type ClosedLoad, driveClosed, driveOpen, type OpenLoad } from "../lib/drive.ts";
import { makeCallbacks, makePushes, type Wanted } from "../lib/requests.ts";
import { serve } from "../lib/serve.ts";

/** Everything that calls the gateway: WeChat's callbacks and the desk's pushes, made beforehand, sent from a process of their own. */
let requests: Buffer[] = [];

serve({
  makeCallbacks: (wanted: Wanted) => {
    requests = makeCallbacks(wanted);
  },
  makePushes: ({ path, ...wanted }: Wanted & { path: string }) => {
    requests = makePushes(wanted, path);
  },
  closed: (load: ClosedLoad) => driveClosed(requests, load),
  open: (load: OpenLoad) => driveOpen(requests, load),
});

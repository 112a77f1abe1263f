/**
 * A fake: KWOK's pods run nothing, so the test itself listens at each pod's address, which is the host's, and tells the
 * operator of a load that a script made up. What the operator makes of it is real.
 */
import { createServer, type Server } from 'node:http';
import { podPorts } from '../../../crds/constants.ts';
import type { LoadReport, LoadSecond } from '../../../crds/wire.ts';
import type { Pod } from '../../../kube/objects.ts';
import { isReady } from './bed.ts';

const serviceSeconds = 0.012;
const boundsMs = [10, 50, 100];

interface FakePod {
  readonly server: Server;
  readonly startedMs: number;
  readonly seconds: LoadSecond[];
  arrivals: number;
}

export interface ScriptedLoad {
  /** Requests per second that all ready pods share from now on. */
  rate: number;
  stop(): void;
}

/** Shares `rate` among the ready pods each second, and answers `/load` for each of them. */
export function scriptLoad(rate: number, podsOf: () => Promise<readonly Pod[]>): ScriptedLoad {
  const fakes = new Map<string, FakePod>();
  const load: ScriptedLoad = { rate, stop: () => {} };
  let stopped = false;
  const turn = async () => {
    const pods = (await podsOf()).filter((pod) => isReady(pod) && pod.status?.podIP !== undefined);
    if (stopped) return;
    for (const pod of pods) {
      const fake = fakes.get(pod.status?.podIP ?? '') ?? listen(pod);
      fakes.set(pod.status?.podIP ?? '', fake);
      const arrivals = Math.round(load.rate / pods.length);
      const busySeconds = Math.min(1, arrivals * serviceSeconds);
      fake.arrivals += arrivals;
      fake.seconds.push({
        endMs: (fake.seconds.length + 1) * 1_000,
        arrivals,
        completions: arrivals,
        busySeconds,
        serviceCount: arrivals,
        serviceSumSeconds: arrivals * serviceSeconds,
        serviceSumSquares: arrivals * serviceSeconds ** 2 * 1.1,
      });
    }
  };
  const timer = setInterval(() => void turn().catch(() => {}), 1_000);
  load.stop = () => {
    stopped = true;
    clearInterval(timer);
    for (const { server } of fakes.values()) {
      server.close();
      server.closeAllConnections();
    }
  };
  return load;
}

function listen(pod: Pod): FakePod {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reportOf(pod, fake)));
  });
  const fake: FakePod = { server, startedMs: Date.now(), seconds: [], arrivals: 0 };
  server.on('error', (error) => console.error(`${pod.metadata.name}: ${String(error)}`));
  server.listen(podPorts.ops, pod.status?.podIP);
  return fake;
}

function reportOf({ metadata }: Pod, { startedMs, seconds, arrivals }: FakePod): LoadReport {
  return {
    version: 1,
    instance: metadata.uid ?? '',
    startedAtMs: startedMs,
    uptimeMs: seconds.length * 1_000 + 1,
    ready: true,
    draining: false,
    revision: metadata.labels?.['ballast.dev/revision'] ?? '',
    modelSha256: 'a'.repeat(64),
    parallelism: 1,
    counters: {
      arrivals,
      succeeded: arrivals,
      clientErrors: 0,
      rejected: 0,
      failed: 0,
      busySeconds: arrivals * serviceSeconds,
      serviceCount: arrivals,
      serviceSumSeconds: arrivals * serviceSeconds,
      serviceSumSquares: arrivals * serviceSeconds ** 2 * 1.1,
    },
    queueLength: 0,
    inFlight: 0,
    oldestWaitMs: 0,
    latency: { boundsMs, counts: [0, arrivals, 0, 0] },
    seconds: seconds.slice(-120),
  };
}

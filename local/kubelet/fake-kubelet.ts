/**
 * A named fake: pods of its node become Running and Ready after a settable time, with no process behind them.
 * For scale tests and benchmarks; with `answer` the pods' ports really listen and give what it returns.
 */
import { createServer, type Server } from 'node:http';
import type { Clock } from '../../kube/clock.ts';
import type { Pod } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { failureReason, failureText, refOf, timestamp } from '../controllers/access.ts';
import type { ClusterCache } from '../controllers/cache.ts';
import { resolvePort } from '../controllers/own-ports.ts';
import type { PodAddresses } from './addresses.ts';
import { newRecord, podStatus } from './pod-status.ts';

export interface FakeAnswer {
  readonly status?: number;
  readonly contentType?: string;
  readonly body: string;
}

export interface FakeKubeletOptions {
  readonly cache: ClusterCache;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly hostIP: string;
  readonly addresses: PodAddresses;
  readonly log: (line: string) => void;
  /** From binding to Ready, milliseconds. Default 0. */
  readonly readyAfterMs?: number | ((pod: Pod) => number);
  /** Termination message of the init containers, which all succeed: e.g. a FetchManifest. */
  readonly initMessage?: (pod: Pod, container: string) => string;
  /** Answers of a pod's named port; without it nothing listens. */
  readonly answer?: (pod: Pod, port: string, path: string) => FakeAnswer | undefined;
}

interface FakePod {
  pod: Pod;
  readonly ip: string;
  readonly servers: Server[];
  cancel: () => void;
}

/** Starts the fake kubelet; the returned function stops it. */
export function startFakeKubelet(options: FakeKubeletOptions): () => Promise<void> {
  const { cache, clock, nodeName, hostIP, addresses, log } = options;
  const pods = new Map<string, FakePod>();
  const failed = (error: unknown) => {
    if (failureReason(error) !== 'NotFound' && failureReason(error) !== 'Conflict')
      log(`fake kubelet: ${failureText(error)}`);
  };

  const write = async (fake: FakePod, ready: boolean) => {
    const now = timestamp(clock.now());
    const { spec } = fake.pod;
    const records = [
      ...(spec.initContainers ?? []).map((container) => ({
        ...newRecord(container, true),
        ...(ready
          ? {
              finished: true,
              state: {
                terminated: {
                  exitCode: 0,
                  reason: 'Completed',
                  message: options.initMessage?.(fake.pod, container.name) ?? '',
                  startedAt: now,
                  finishedAt: now,
                },
              },
            }
          : {}),
      })),
      ...spec.containers.map((container) => ({
        ...newRecord(container, false),
        imageID: container.image,
        ...(ready ? { started: true, ready: true, state: { running: { startedAt: now } } } : {}),
      })),
    ];
    const facts = { podIP: fake.ip, hostIP, startTime: now, volumesReady: true };
    const status = podStatus(fake.pod, records, facts, clock.now());
    await cache.patch(
      resources.pods,
      refOf(fake.pod),
      { status },
      { subresource: 'status', fieldManager: 'kubelet' },
    );
  };

  const begin = async (pod: Pod) => {
    const uid = pod.metadata.uid ?? '';
    const fake: FakePod = { pod, ip: addresses.nextFake(), servers: [], cancel: () => undefined };
    pods.set(uid, fake);
    const { readyAfterMs = 0 } = options;
    const delayMs = typeof readyAfterMs === 'number' ? readyAfterMs : readyAfterMs(pod);
    if (delayMs > 0) {
      await write(fake, false);
      fake.cancel = clock.setTimer(delayMs, () => void ready(fake).catch(failed));
    } else await ready(fake);
  };

  const ready = async (fake: FakePod) => {
    await listen(fake);
    if (fake.pod.metadata.deletionTimestamp === undefined) await write(fake, true);
  };

  const listen = async (fake: FakePod) => {
    const { answer } = options;
    if (answer === undefined) return;
    for (const port of fake.pod.spec.containers.flatMap((container) => container.ports ?? [])) {
      const server = createServer((request, response) => {
        const given = answer(fake.pod, port.name ?? String(port.containerPort), request.url ?? '/');
        response.writeHead(given === undefined ? 404 : (given.status ?? 200), {
          'content-type': given?.contentType ?? 'application/json',
        });
        response.end(given?.body ?? '');
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(resolvePort(fake.pod, port.containerPort), fake.ip, resolve);
      });
      fake.servers.push(server);
    }
  };

  const end = async (fake: FakePod) => {
    pods.delete(fake.pod.metadata.uid ?? '');
    fake.cancel();
    await Promise.all(
      fake.servers.map((server) => {
        server.closeAllConnections();
        return new Promise<void>((resolve) => server.close(() => resolve()));
      }),
    );
    addresses.release(fake.ip, undefined);
  };

  const stop = cache.onChange<Pod>(resources.pods, ({ object, deleted }) => {
    if (object.spec.nodeName !== nodeName) return;
    const fake = pods.get(object.metadata.uid ?? '');
    if (deleted) {
      if (fake !== undefined) void end(fake);
    } else if (fake === undefined) void begin(object).catch(failed);
    else {
      const first = fake.pod.metadata.deletionTimestamp === undefined;
      fake.pod = object;
      if (object.metadata.deletionTimestamp !== undefined && first)
        void end(fake)
          .then(() =>
            cache.delete(resources.pods, refOf(object), { uid: object.metadata.uid, gracePeriodSeconds: 0 }),
          )
          .catch(failed);
    }
  });
  return async () => {
    stop();
    for (const fake of [...pods.values()]) await end(fake);
  };
}

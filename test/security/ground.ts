/** A pod process under attack, with an honest client beside the attackers. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import {
  makePodDirectory,
  type PodDirectory,
  type PodProcess,
  spawnPod,
  until,
} from '../../inference-pod/testing/pod.ts';
import type { HonestOptions, Seen } from './honest.ts';

/** What clients attack: a pod, or a gateway's port. */
export interface Target {
  readonly http: number;
  readonly ops: number;
  /** Opens a connection that is destroyed at the end; errors of it are nobody's business. */
  open(port?: number): Socket;
  /** Posts a body to the infer path; 0 is a broken connection. */
  post(
    body: Uint8Array | string,
    headers?: Record<string, string>,
  ): Promise<{ status: number; text: string }>;
}

export interface Ground extends Target {
  readonly pod: PodProcess;
  readonly directory: PodDirectory;
  /** Megabytes of memory now. */
  rssMb(): number;
  /** The most that it was since the last call. */
  peakMb(): number;
  close(): Promise<void>;
}

/** A target of two ports, and how its connections end. */
export const targetOf = (http: number, ops: number): Target & { close(): void } => {
  const sockets = new Set<Socket>();
  return {
    http,
    ops,
    open: (port = http) => {
      const socket = connect(port, '127.0.0.1');
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      return socket;
    },
    post: async (body, headers = {}) => {
      try {
        const response = await fetch(`http://127.0.0.1:${http}/v2/models/m/infer`, {
          method: 'POST',
          body: body as string,
          headers,
        });
        return { status: response.status, text: await response.text() };
      } catch {
        return { status: 0, text: '' };
      }
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
};

/** Watches the memory of a process. */
export const memoryOf = (pid: number) => {
  const now = () => {
    try {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024;
    } catch {
      return 0;
    }
  };
  let peak = 0;
  const sample = () => {
    peak = Math.max(peak, now());
  };
  const sampler = setInterval(sample, 10);
  return {
    rssMb: now,
    /** The most since the last call, megabytes. */
    peakMb: () => {
      sample();
      const most = peak;
      peak = 0;
      return most;
    },
    close: () => clearInterval(sampler),
  };
};

/** Memory limit of the pods under attack. */
export const memoryLimitMb = 512;

/** Starts a pod as a process of its own; `ready: false` for one that never will be. */
export const startGround = async (
  model: Uint8Array,
  env: Record<string, string> = {},
  ready = true,
): Promise<Ground> => {
  const directory = makePodDirectory(model);
  directory.writeLiveConfig({ timeoutMs: 5_000 });
  const pod = spawnPod('serve', {
    ...directory.env,
    BALLAST_MEMORY_LIMIT_BYTES: String(memoryLimitMb * 2 ** 20),
    BALLAST_LOG_LEVEL: 'info',
    ...env,
  });
  let isOver = false;
  void pod.exited.then(() => {
    isOver = true;
  });
  const { http, ops } = await pod.ports();
  if (ready)
    await until(async () => {
      if (isOver) throw new Error(`the pod ended:\n${pod.log()}`);
      return (await fetch(`http://127.0.0.1:${ops}/readyz`).catch(() => undefined))?.status === 200;
    }, 60_000);
  const memory = memoryOf(pod.child.pid ?? 0);
  const target = targetOf(http, ops);
  return {
    ...target,
    pod,
    directory,
    rssMb: memory.rssMb,
    peakMb: memory.peakMb,
    close: async () => {
      memory.close();
      target.close();
      pod.child.kill('SIGKILL');
      await pod.exited;
      directory.remove();
    },
  };
};

export interface Honest {
  /** What the client and the probe saw since the last call. */
  seen(): Promise<Seen>;
  stop(): Promise<void>;
}

/** Starts the honest client; it asks until it is stopped. */
export const startHonest = (options: HonestOptions): Honest => {
  const worker = new Worker(new URL('./honest.ts', import.meta.url), { workerData: options });
  return {
    seen: () =>
      new Promise((resolve, reject) => {
        worker.once('error', reject);
        worker.once('message', (seen: Seen) => {
          worker.off('error', reject);
          resolve(seen);
        });
        worker.postMessage('seen');
      }),
    stop: async () => {
      await worker.terminate();
    },
  };
};

/** Waits. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

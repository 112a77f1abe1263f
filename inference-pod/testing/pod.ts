/** Pods for tests: a model in a directory of its own, served in this process (with its real runner thread) or in another one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LiveConfig, LoadReport, TerminationMessage } from '../../crds/wire.ts';
import { readConfig } from '../config.ts';
import type { LogFields, Logger } from '../log/logger.ts';
import { type Pod, startPod } from '../pod.ts';

/** A temporary directory with what a pod mounts. */
export interface PodDirectory {
  readonly root: string;
  readonly env: Record<string, string>;
  writeLiveConfig(config: Partial<LiveConfig>): void;
  termination(): TerminationMessage | undefined;
  remove(): void;
}

/** Makes the directory, with the model as if it had been fetched. */
export const makePodDirectory = (model?: Uint8Array): PodDirectory => {
  const root = mkdtempSync(join(tmpdir(), 'ballast-pod-'));
  for (const name of ['model', 'config', 'claim', 'files']) mkdirSync(join(root, name));
  if (model !== undefined) {
    writeFileSync(join(root, 'model/model.onnx'), model);
    const sha256 = createHash('sha256').update(model).digest('hex');
    writeFileSync(
      join(root, 'model/manifest.json'),
      JSON.stringify({ sha256, bytes: model.length, uri: 'test' }),
    );
  }
  return {
    root,
    env: {
      BALLAST_MODEL_NAME: 'm',
      BALLAST_MODEL_DIR: join(root, 'model'),
      BALLAST_CONFIG_DIR: join(root, 'config'),
      BALLAST_CLAIM_DIR: join(root, 'claim'),
      BALLAST_FILE_ROOTS: join(root, 'files'),
      BALLAST_TERMINATION_LOG: join(root, 'termination'),
      BALLAST_LISTEN_HOST: '127.0.0.1',
      BALLAST_HTTP_PORT: '0',
      BALLAST_GRPC_PORT: '0',
      BALLAST_OPS_PORT: '0',
      BALLAST_THREADS: '1',
      BALLAST_DRAIN_DELAY_MS: '0',
      // onnxruntime cannot run in the context that jest gives to a test: it knows typed arrays by their class.
      BALLAST_RUNNER_THREAD: 'Always',
    },
    writeLiveConfig: (config) => {
      const whole: LiveConfig = { version: 1, timeoutMs: 10_000, slaLatencyMs: [], digests: {}, ...config };
      writeFileSync(join(root, 'config/config.json'), JSON.stringify(whole));
    },
    termination: () => {
      try {
        return JSON.parse(readFileSync(join(root, 'termination'), 'utf8')) as TerminationMessage;
      } catch {
        return undefined;
      }
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
};

/** A logger that remembers. */
export const memoryLogger = (): Logger & {
  lines: { level: string; message: string; fields: LogFields }[];
} => {
  const lines: { level: string; message: string; fields: LogFields }[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
};

export interface TestPod {
  readonly pod: Pod;
  readonly url: string;
  readonly opsUrl: string;
  readonly directory: PodDirectory;
  readonly log: ReturnType<typeof memoryLogger>;
  readonly aborted: TerminationMessage[];
  /** Posts to the infer path of model `m`. */
  infer(body: unknown, init?: RequestInit): Promise<{ status: number; body: unknown; headers: Headers }>;
  load(): Promise<LoadReport>;
  stop(): Promise<void>;
}

export interface TestPodOptions {
  readonly env?: Record<string, string>;
  readonly live?: Partial<LiveConfig>;
  /** False: does not wait until the model serves. */
  readonly waitReady?: boolean;
}

/** Serves a model in this process. */
export const serveModel = async (model: Uint8Array, options: TestPodOptions = {}): Promise<TestPod> => {
  const directory = makePodDirectory(model);
  directory.writeLiveConfig(options.live ?? {});
  const log = memoryLogger();
  const aborted: TerminationMessage[] = [];
  const config = readConfig({ ...directory.env, ...options.env }, join(directory.root, 'no-cgroup'));
  const pod = await startPod(config, {
    log,
    version: '0.0.0',
    abort: (message) => void aborted.push(message),
  });
  if (options.waitReady !== false) await pod.ready;
  const url = `http://127.0.0.1:${pod.httpPort}`;
  const opsUrl = `http://127.0.0.1:${pod.opsPort}`;
  return {
    pod,
    url,
    opsUrl,
    directory,
    log,
    aborted,
    infer: async (body, init = {}) => {
      const response = await fetch(`${url}/v2/models/m/infer`, {
        method: 'POST',
        body:
          typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
        ...init,
      });
      const text = await response.text();
      return { status: response.status, body: JSON.parse(text) as unknown, headers: response.headers };
    },
    load: async () => (await (await fetch(`${opsUrl}/load`)).json()) as LoadReport,
    stop: async () => {
      await pod.drain();
      directory.remove();
    },
  };
};

export interface PodProcess {
  readonly child: ChildProcess;
  /** What it logged so far. */
  log(): string;
  /** Ports from its log, once it listens. */
  ports(): Promise<{ http: number; ops: number; grpc: number }>;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** What a process of these sources is to inherit of `scripts/test.ts`: its sources compiled once for all of them. */
export const compileCache = (): Record<string, string> => {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
};

/** Runs `main.ts fetch` or `serve` as a process of its own. */
export const spawnPod = (command: string, env: Record<string, string>): PodProcess => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../main.ts'), command], {
    env: { PATH: process.env.PATH ?? '', ...compileCache(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const listeners = new Set<() => void>();
  const append = (chunk: Buffer) => {
    text += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout?.on('data', append);
  child.stderr?.on('data', append);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  return {
    child,
    log: () => text,
    exited,
    ports: () =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = /"httpPort":(\d+),"opsPort":(\d+),"grpcPort":(\d+)/.exec(text);
          if (match !== null)
            resolve({ http: Number(match[1]), ops: Number(match[2]), grpc: Number(match[3]) });
        };
        listeners.add(look);
        look();
        void exited.then(() => reject(new Error(`the pod ended before it listened:\n${text}`)));
      }),
  };
};

/** Waits until a condition holds, asked every few milliseconds. */
export const until = async (condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> => {
  const from = performance.now();
  while (!(await condition())) {
    if (performance.now() - from > limitMs)
      throw new Error(`not within ${limitMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

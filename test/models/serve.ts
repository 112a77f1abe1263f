/** A model in a pod: fetched and served by two processes, as in a cluster, from the bundle that images hold. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Why the pod does not serve the model, as its termination message says. */
export class Refused extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface ServedModel {
  readonly url: string;
  /** What warm-up said about batching. */
  readonly remark: string;
  stop(): Promise<void>;
}

interface Line {
  readonly message?: string;
  readonly httpPort?: number;
  readonly opsPort?: number;
  readonly batching?: string;
}

/** Serves `modelPath`; rejects with Refused when fetch or serve ends. */
export async function serve(program: string, modelPath: string): Promise<ServedModel> {
  const directory = mkdtempSync(join(tmpdir(), 'ballast-corpus-'));
  const env = {
    PATH: process.env.PATH ?? '',
    BALLAST_MODEL_NAME: 'm',
    BALLAST_MODEL_URI: `file://${modelPath}`,
    BALLAST_FILE_ROOTS: dirname(modelPath),
    BALLAST_MODEL_DIR: join(directory, 'model'),
    BALLAST_CONFIG_DIR: join(directory, 'config'),
    BALLAST_TERMINATION_LOG: join(directory, 'termination'),
    BALLAST_LISTEN_HOST: '127.0.0.1',
    BALLAST_HTTP_PORT: '0',
    BALLAST_OPS_PORT: '0',
    BALLAST_GRPC_PORT: '0',
    BALLAST_DRAIN_DELAY_MS: '0',
    BALLAST_THREADS: '1',
  };
  // Answers are what counts here, also on a machine where they take long.
  mkdirSync(env.BALLAST_CONFIG_DIR);
  const live = { version: 1, timeoutMs: 60_000, slaLatencyMs: [], digests: {} };
  writeFileSync(join(env.BALLAST_CONFIG_DIR, 'config.json'), JSON.stringify(live));
  const start = (command: string): ChildProcess =>
    spawn(process.execPath, [program, command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const refusal = (text: string): Error => {
    try {
      const written = JSON.parse(readFileSync(env.BALLAST_TERMINATION_LOG, 'utf8'));
      return new Refused(String(written.reason), String(written.message));
    } catch {
      return new Error(`the pod ended without a termination message:\n${text.slice(-2000)}`);
    }
  };
  const fetched = await ended(start('fetch'));
  if (fetched.code !== 0) {
    const error = refusal(fetched.text);
    remove();
    throw error;
  }
  const child = start('serve');
  const exit = ended(child);
  const ready = new Promise<ServedModel>((resolve, reject) => {
    let port: number | undefined;
    let rest = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) {
        let line: Line;
        try {
          line = JSON.parse(text) as Line;
        } catch {
          continue;
        }
        if (line.httpPort !== undefined) port = line.httpPort;
        if (line.message === 'ready')
          resolve({
            url: `http://127.0.0.1:${port}`,
            remark: line.batching ?? '',
            stop: async () => {
              child.kill('SIGTERM');
              await exit;
              remove();
            },
          });
      }
    });
    void exit.then(({ text }) => reject(refusal(text)));
  });
  return ready.catch((error: unknown) => {
    remove();
    throw error;
  });
}

/** Waits for a process; the text is all that it printed. */
function ended(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })));
}

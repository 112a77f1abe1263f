/** The operator as a child process: started, watched, started again when it ends by itself, ended with its parent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { operatorNodeEnv, operatorNodeFlags } from '../../local/bundles.ts';

export interface OperatorProcessOptions {
  readonly bundle: string;
  readonly env: Record<string, string>;
  readonly logFile: string;
  /** Called with each chunk of the log, for `--verbose`. */
  readonly onLog?: (chunk: string) => void;
  /** Told the process group of each start; what it returns is called when that process has ended. */
  readonly onStart: (pid: number) => () => void;
  readonly onUnexpectedEnd: (how: string, restartMs: number) => void;
}

const restartMs = 1000;
const stopMs = 10_000;

export class OperatorProcess {
  readonly #options: OperatorProcessOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: OperatorProcessOptions) {
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  }

  start(): void {
    const { bundle, env, onLog } = this.#options;
    // Its own process group: a Ctrl-C in the terminal reaches the parent alone, which stops things in order.
    const child = spawn(process.execPath, [...operatorNodeFlags, bundle], {
      env: { ...operatorNodeEnv, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#log.write(chunk);
        onLog?.(chunk.toString('utf8'));
      });
    }
    const forget = child.pid === undefined ? () => undefined : this.#options.onStart(child.pid);
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      forget();
      if (this.#stopping) return;
      this.#options.onUnexpectedEnd(signal ?? `exit code ${code}`, restartMs);
      this.#timer = setTimeout(() => this.start(), restartMs);
    });
  }

  /** Resolves when the process has ended: SIGTERM, then SIGKILL after 10 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await ended;
      clearTimeout(killer);
    }
    await new Promise<void>((resolve) => this.#log.end(() => resolve()));
  }
}

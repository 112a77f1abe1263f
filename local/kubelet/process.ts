/** One container as a process group of its own, started so that it cannot outlive the kubelet. */
import { type ChildProcess, spawn } from 'node:child_process';
import { killGroup, type Reaper } from '../reaper.ts';

export interface ProcessSpec {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
}

export interface Exit {
  /** As a container runtime reports it: 128 + signal for a process that a signal ended. */
  readonly code: number;
  readonly signal: number | undefined;
}

export interface RunningProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Signals the container's first process, as a runtime does. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL to the whole group. */
  kill(): void;
}

// The process waits for one line before it becomes the container's command. Should the kubelet die before the reaper
// knows the process, the pipe ends and it goes away by itself.
const gate = 'IFS= read -r go <&3 && [ "$go" = go ] || exit 125; exec 3<&-; exec "$@"';
/** How long output may keep coming after the first process ended, milliseconds. */
const drainMs = 500;

/** Starts a process; rejects when the machine cannot. */
export function startProcess(spec: ProcessSpec, reaper: Reaper): Promise<RunningProcess> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      child = spawn('/bin/sh', ['-c', gate, 'ballast-gate', ...spec.command], {
        cwd: spec.cwd,
        env: { ...spec.env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      });
    } catch (error) {
      reject(error);
      return;
    }
    child.once('error', reject);
    const { pid } = child;
    if (pid === undefined) return;
    reaper.watch(pid);
    child.stdout?.on('data', (chunk: Buffer) => spec.onOutput('stdout', chunk));
    child.stderr?.on('data', (chunk: Buffer) => spec.onOutput('stderr', chunk));
    const gatePipe = child.stdio[3];
    if (gatePipe !== null && gatePipe !== undefined && 'end' in gatePipe) {
      gatePipe.on('error', () => undefined);
      gatePipe.end('go\n');
    }
    resolve({
      pid,
      exited: waitFor(child, pid, reaper),
      signal: (name) => signalOne(pid, name),
      kill: () => killGroup(pid, 'SIGKILL'),
    });
  });
}

function signalOne(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}

function waitFor(child: ChildProcess, pid: number, reaper: Reaper): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signalName) => {
      // The end of a container's first process is the end of all of them.
      killGroup(pid, 'SIGKILL');
      reaper.forget(pid);
      const signal = signalName === null ? undefined : signalNumbers[signalName];
      const exit = { code: code ?? 128 + (signal ?? 0), signal };
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve(exit);
      }, drainMs);
      child.once('close', () => {
        clearTimeout(timer);
        resolve(exit);
      });
    });
  });
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

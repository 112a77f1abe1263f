/** Real kubectl and helm of one version, in a namespace of their own on the server under test. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, jest } from '@jest/globals';
import { provideTools, type ToolsVersion } from '../../../local/tools.ts';
import { type Cluster, openCluster } from './cluster.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  /** Standard output so far. */
  readonly text: () => string;
  readonly ended: Promise<Run>;
  stop(): void;
}

export interface Bed {
  readonly api: Cluster;
  readonly dir: string;
  /** Runs kubectl and returns its output; throws when it fails. */
  kubectl(args: string, input?: string): Promise<string>;
  /** Runs kubectl and returns what happened, failures included. */
  tryKubectl(args: string, input?: string): Promise<Run>;
  /** Starts a kubectl that goes on, such as `get -w`. */
  startKubectl(args: string): Running;
  helm(args: string): Promise<string>;
  /** Writes a file into the test's folder and returns its path. */
  file(name: string, text: string): string;
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..', '..');

/** Splits a command line at blanks; 'single quotes' keep a word together. */
const words = (line: string): string[] =>
  (line.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll("'", ''));

/** Connects tools of one version with the server under test; an embedded one speaks TLS, as users get it. */
export async function openBed(version: ToolsVersion): Promise<Bed> {
  // Each command starts a process of 50 MB and more: on a busy machine that takes its time.
  jest.setTimeout(120_000);
  const api = await openCluster({ tls: true });
  const tools = await provideTools(join(root, '.ballast'), version);
  const dir = mkdtempSync(join(tmpdir(), 'ballast-kubectl-'));
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, api.kubeconfig(), { mode: 0o600 });
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    KUBECONFIG: kubeconfig,
    KUBE_EDITOR: join(dir, 'editor'),
    // Each lives for less than a second: collecting garbage is a third of what it does.
    GOGC: 'off',
  };
  const running = new Set<Running>();

  const start = (binary: string, args: string, input?: string): Running => {
    const child = spawn(binary, words(args), { env, cwd: dir, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.end(input ?? '');
    const text = () => Buffer.concat(out).toString();
    const ended = new Promise<Run>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        running.delete(self);
        resolve({ code: code ?? -1, out: text(), err: Buffer.concat(err).toString() });
      });
    });
    const self: Running = { text, ended, stop: () => child.kill('SIGKILL') };
    running.add(self);
    return self;
  };
  const must = async (binary: string, args: string, input?: string): Promise<string> => {
    const { code, out, err } = await start(binary, args, input).ended;
    if (code !== 0) throw new Error(`${binary} ${args} ended with ${code}: ${err}${out}`);
    return out;
  };

  afterAll(async () => {
    const all = [...running];
    for (const one of all) one.stop();
    await Promise.all(all.map(({ ended }) => ended));
    rmSync(dir, { recursive: true, force: true });
  });

  return {
    api,
    dir,
    kubectl: (args, input) => must(tools.kubectl, args, input),
    tryKubectl: (args, input) => start(tools.kubectl, args, input).ended,
    startKubectl: (args) => start(tools.kubectl, args),
    helm: (args) => must(tools.helm, args),
    file(name, text) {
      const path = join(dir, name);
      writeFileSync(path, text, { mode: 0o755 });
      return path;
    },
    async until(what, holds) {
      const deadlineMs = Date.now() + 20_000;
      while (!(await holds())) {
        if (Date.now() > deadlineMs) throw new Error(`not within 20 s: ${what}`);
        await delay(20);
      }
    },
  };
}

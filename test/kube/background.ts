/** The cluster of `kube:up`: which process holds it, and what the user is told about it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOf } from '../../local/reaper.ts';

export interface Background {
  /** The process that holds the cluster, and when it started, since ids are used again. */
  readonly pid: number;
  readonly start: string | undefined;
  readonly kubeconfig: string;
  /** Folder of its data. */
  readonly dir: string;
  /** Name of everything that belongs to it on this machine, when it has nodes. */
  readonly name?: string;
}

const file = (home: string) => join(home, 'up.json');

/** Where the kubeconfig and the log of a home's cluster are. */
export const kubeconfigIn = (home: string) => join(home, 'kubeconfig');
export const logIn = (home: string) => join(home, 'up.log');

/** Remembers the cluster that this process holds. */
export function remember(home: string, cluster: Omit<Background, 'pid' | 'start'>): void {
  mkdirSync(home, { recursive: true });
  const whole: Background = { pid: process.pid, start: startOf(process.pid), ...cluster };
  writeFileSync(file(home), JSON.stringify(whole));
}

/** Forgets it, and the kubeconfig that leads nowhere. */
export function forget(home: string): void {
  rmSync(file(home), { force: true });
  rmSync(kubeconfigIn(home), { force: true });
}

/** The cluster that runs, or what is remembered of one whose process is gone. */
export function recall(home: string): (Background & { readonly runs: boolean }) | undefined {
  try {
    const found = JSON.parse(readFileSync(file(home), 'utf8')) as Background;
    return { ...found, runs: found.start !== undefined && startOf(found.pid) === found.start };
  } catch {
    return undefined;
  }
}

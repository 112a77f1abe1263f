/** CPU time of processes, from the kernel. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** CPU seconds of a process so far, of user and system together; 0 when it is gone. */
export function cpuSecondsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** CPU seconds of a cluster's parts by name: the processes that were given a path below its folder. */
export function partsCpuSeconds(dir: string): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [program = '', command = '', ...rest] = wordsOf(name);
    const isPart = [command, ...rest].some((word) => word.includes(dir)) && !/node$/.test(program);
    if (!isPart) continue;
    // One binary is all of Kubernetes, and its first word says which part.
    const part = command.startsWith('-') ? basename(program).replace(/-v?[0-9a-f.]+$/, '') : command;
    sums[part] = (sums[part] ?? 0) + cpuSecondsOf(Number(name));
  }
  return sums;
}

function wordsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

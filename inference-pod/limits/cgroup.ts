/** CPU and memory limits of the container, from cgroup v2 or v1 files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CgroupLimits {
  /** CPUs as a fraction; undefined when there is no limit. */
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // The file of the other cgroup version, or no cgroups at all (macOS): no limit is known.
    return undefined;
  }
};

/** v1 writes "no limit" as the largest multiple of the page size. */
const unlimitedFrom = 2 ** 60;

const bytes = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value > 0 && value < unlimitedFrom ? value : undefined;
};

const quota = (quotaText: string | undefined, periodText: string | undefined): number | undefined => {
  const quotaUs = Number(quotaText);
  const periodUs = Number(periodText);
  return quotaUs > 0 && periodUs > 0 ? quotaUs / periodUs : undefined;
};

/** Reads the limits below `root` (`/sys/fs/cgroup`); in a container that is the container's own group. */
export const readCgroupLimits = (root: string): CgroupLimits => {
  const cpuMax = read(join(root, 'cpu.max'))?.split(' ');
  const cpus =
    cpuMax === undefined
      ? quota(read(join(root, 'cpu/cpu.cfs_quota_us')), read(join(root, 'cpu/cpu.cfs_period_us')))
      : quota(cpuMax[0], cpuMax[1]);
  const memoryBytes =
    bytes(read(join(root, 'memory.max'))) ?? bytes(read(join(root, 'memory/memory.limit_in_bytes')));
  return { cpus, memoryBytes };
};

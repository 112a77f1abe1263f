/**
 * Notices that the npm which started this process is gone. npm hands a SIGTERM to the shell between, which dies of it and
 * tells nobody, and of a SIGKILL nobody is told at all: the cluster would run on with nobody to end it.
 */
import { readFileSync } from 'node:fs';

/** What is asked of the machine; replaced in tests. */
export interface Family {
  /** Pid of this process's parent, now. */
  parent(): number;
  /** Name and parent of another process; undefined when it is gone, or where the machine does not tell. */
  of(pid: number): { readonly name: string; readonly parent: number } | undefined;
}

/** The real one: `/proc` on Linux. Elsewhere only the parent is known, and shells there put npm's command in their own place. */
export const realFamily: Family = {
  parent: () => process.ppid,
  of(pid) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const end = stat.lastIndexOf(')');
      return {
        name: stat.slice(stat.indexOf('(') + 1, end),
        parent: Number(stat.slice(end + 2).split(' ')[1]),
      };
    } catch {
      return undefined;
    }
  },
};

const shells = ['sh', 'dash', 'bash', 'ash', 'zsh', 'ksh'];
const everyMs = 500;

/** This process's parent and, behind the shell that npm puts between, npm. */
function launchers(family: Family): string {
  const parent = family.parent();
  const between = family.of(parent);
  return between !== undefined && shells.includes(between.name) ? `${parent} ${between.parent}` : `${parent}`;
}

/** Resolves when npm, or the shell that it put between, is gone; never when npm did not start this process. */
export function launcherGone(env: NodeJS.ProcessEnv, family: Family = realFamily): Promise<'launcher gone'> {
  return new Promise((resolve) => {
    if (env.npm_lifecycle_event === undefined) return;
    const atStart = launchers(family);
    const timer = setInterval(() => {
      if (launchers(family) === atStart) return;
      clearInterval(timer);
      resolve('launcher gone');
    }, everyMs);
    timer.unref();
  });
}

/**
 * Ends every process of the embedded cluster when the cluster's own process dies, however it dies.
 * A shell of about 1 MB waits at a pipe that only this process holds open; at its end it kills the process groups
 * that were named to it and removes a folder. Files beside it name the groups for a later start, should the shell
 * have been killed too.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const script = `
trap '' INT TERM HUP QUIT
folder=$1
shift
groups=" $* "
while IFS= read -r line; do
  case $line in
    '+ '*) groups="$groups\${line#+ } " ;;
    '- '*)
      group=\${line#- }
      case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
    done) exit 0 ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
[ -n "$folder" ] && { rm -rf -- "$folder" || { sleep 1; rm -rf -- "$folder"; }; }
exit 0
`;

export interface Reaper {
  /** Pid of the waiting shell. */
  readonly pid: number | undefined;
  /** Names a process group that must not outlive this process. */
  watch(group: number): void;
  /** Forgets a group that ended. */
  forget(group: number): void;
  /** Lets the shell go without killing anything. */
  close(): Promise<void>;
}

/** When a process started, in a form that only compares; undefined when it does not run. */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : `${bootId()} ${fields[19]}`;
    }
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Kills a whole process group; one that is gone already is no failure. */
export function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: nobody is left.
  }
}

/**
 * Members of a group whose leader is gone. Their environment must name the folder, which every container's does: a number
 * alone proves nothing.
 */
function orphansOf(group: number, folder: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid) || pid === process.pid) return false;
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const processGroup = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
        return processGroup === group && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`=${folder}/`);
      } catch {
        return false;
      }
    });
}

/** Ends what an earlier run left: groups whose leader still is the process that was started then, and leaderless ones. */
export function cleanUpEarlierRun(pidFolder: string): number {
  let ended = 0;
  let names: string[] = [];
  try {
    names = readdirSync(pidFolder);
  } catch {
    return 0;
  }
  for (const name of names) {
    const group = Number(name);
    try {
      const start = readFileSync(join(pidFolder, name), 'utf8').trim();
      // The number alone proves nothing: it may belong to a stranger by now.
      if (!Number.isInteger(group) || group <= 1 || start === '') continue;
      const now = startOf(group);
      if (now === start) {
        killGroup(group, 'SIGKILL');
        ended++;
      } else if (now === undefined)
        for (const pid of orphansOf(group, dirname(pidFolder))) {
          process.kill(pid, 'SIGKILL');
          ended++;
        }
    } catch {
      // Unreadable or gone meanwhile: nothing can be said about it.
    } finally {
      rmSync(join(pidFolder, name), { force: true });
    }
  }
  return ended;
}

/** Starts the reaper. `pidFolder` keeps one file per group, `removeFolder` goes away when this process dies. */
export function startReaper(pidFolder: string, removeFolder: string): Reaper {
  mkdirSync(pidFolder, { recursive: true });
  const groups = new Set<number>();
  let closed = false;
  let shell: ChildProcess;
  const write = (line: string) => {
    if (shell.stdin?.writable === true) shell.stdin.write(`${line}\n`);
  };
  const start = () => {
    // Its own session: a Ctrl-C in the terminal reaches the whole foreground group, and must not reach this one.
    // What a killed reaper knew stands in its successor's arguments: written to it later, it could come too late.
    const known = [...groups].map(String);
    shell = spawn('/bin/sh', ['-c', script, 'ballast-reaper', removeFolder, ...known], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    shell.unref();
    (shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    shell.stdin?.on('error', () => undefined);
    shell.on('error', () => undefined);
    shell.on('exit', () => {
      if (!closed) start();
    });
  };
  start();
  return {
    get pid() {
      return shell.pid;
    },
    watch(group) {
      groups.add(group);
      write(`+ ${group}`);
      const began = startOf(group);
      if (began !== undefined) writeFileSync(join(pidFolder, String(group)), began);
    },
    forget(group) {
      if (!groups.delete(group)) return;
      write(`- ${group}`);
      rmSync(join(pidFolder, String(group)), { force: true });
    },
    async close() {
      closed = true;
      const ended = new Promise<void>((resolve) => {
        if (shell.exitCode !== null || shell.signalCode !== null) resolve();
        else shell.once('exit', () => resolve());
      });
      shell.ref();
      write('done');
      shell.stdin?.end();
      await ended;
    },
  };
}

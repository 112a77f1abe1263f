/** Commands beside a container's own process (probes, preStop), and the ordered end of a container. */

import { type Clock, sleep } from '../../kube/clock.ts';
import { messageOf } from '../../kube/log.ts';
import type { Container, Probe } from '../../kube/objects.ts';
import type { Reaper } from '../reaper.ts';
import type { ContainerSetup } from './container-setup.ts';
import type { RunCommand } from './probe-check.ts';
import { type RunningProcess, startProcess } from './process.ts';

const maxOutput = 10 * 1024;
/** A longer timer would fire at once. */
const longestTimerMs = 2_147_483_647;

/** Runs a command in a container's environment; code undefined when it took longer than allowed or could not start. */
export async function runCommand(
  command: readonly string[],
  setup: ContainerSetup,
  reaper: Reaper,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<{ code: number | undefined; output: string }> {
  let output = '';
  try {
    const process = await startProcess(
      {
        command: command.map((word) => setup.rewrite(word)),
        env: setup.env,
        cwd: setup.cwd,
        onOutput: (_stream, chunk) => {
          if (output.length < maxOutput) output += chunk.toString('utf8');
        },
      },
      reaper,
    );
    let late = false;
    const kill = () => process.kill();
    // Commands run against the machine's clock: a held clock must not hold a process.
    const timer = setTimeout(
      () => {
        late = true;
        process.kill();
      },
      Math.min(timeoutMs, longestTimerMs),
    );
    stop.addEventListener('abort', kill, { once: true });
    const exit = await process.exited;
    clearTimeout(timer);
    stop.removeEventListener('abort', kill);
    return { code: late ? undefined : exit.code, output: output.slice(0, maxOutput) };
  } catch (error) {
    return { code: 126, output: messageOf(error) };
  }
}

export type HttpGet = NonNullable<Probe['httpGet']>;

/** What a lifecycle hook may be. */
export interface Hook {
  readonly exec?: { command: string[] };
  readonly sleep?: { seconds: number };
  readonly httpGet?: HttpGet;
}

/** Runs a hook; undefined when it went well, else why not. */
export async function runHook(
  hook: Hook,
  limitMs: number,
  stop: AbortSignal,
  { clock, run, get }: Pick<EndOptions, 'clock' | 'run' | 'get'>,
): Promise<string | undefined> {
  if (hook.sleep !== undefined) await sleep(clock, Math.min(limitMs, hook.sleep.seconds * 1000), stop);
  else if (hook.httpGet !== undefined) return get(hook.httpGet);
  else if (hook.exec !== undefined) {
    const { code, output } = await run(hook.exec.command, limitMs);
    if (code === undefined) return 'it took longer than allowed';
    if (code !== 0) return `exit code ${code} ${output.trim()}`.trim();
  }
  return undefined;
}

export interface EndOptions {
  readonly clock: Clock;
  /** Monotonic end of the grace period; it may come nearer while we wait. */
  endsAtMs(): number;
  readonly killNow: AbortSignal;
  readonly run: RunCommand;
  /** Asks an address of the pod; the text is why it could not be asked. */
  get(httpGet: HttpGet): Promise<string | undefined>;
  onHookFailure(message: string): void;
}

/** After a preStop hook that used the grace period up a container still gets this long, as with a kubelet. */
const minimumGraceMs = 2_000;
const lookMs = 250;

/** preStop, SIGTERM, the rest of the grace period, SIGKILL to the whole group. Resolves when the process ended. */
export async function endProcess(
  process: RunningProcess,
  container: Container,
  options: EndOptions,
): Promise<void> {
  const { clock, killNow } = options;
  const over = new AbortController();
  void process.exited.then(() => over.abort());
  const stop = AbortSignal.any([killNow, over.signal]);
  const hook = container.lifecycle?.preStop;
  let hooked = false;
  if (hook !== undefined && !stop.aborted) {
    hooked = true;
    const leftMs = Math.max(0, options.endsAtMs() - clock.monotonicMs());
    const failure = await runHook(hook, leftMs, stop, options);
    if (failure !== undefined) options.onHookFailure(`PreStopHook failed: ${failure}`);
  }
  if (!stop.aborted) process.signal('SIGTERM');
  const softEndMs = hooked ? clock.monotonicMs() + minimumGraceMs : 0;
  while (!stop.aborted) {
    const leftMs = Math.max(options.endsAtMs(), softEndMs) - clock.monotonicMs();
    if (leftMs <= 0) break;
    await sleep(clock, Math.min(leftMs, lookMs), stop);
  }
  process.kill();
  await process.exited;
}

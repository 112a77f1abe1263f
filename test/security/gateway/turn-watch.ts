/**
 * Preloaded into the gateway under attack (`--import`): tells over the IPC channel how long its event loop was kept at a
 * stretch, by the clock and by the CPU time of its thread, which does not count what others had of its core.
 */
import { threadCpuMs } from '../../../inference-pod/runner/cpu.ts';

/** The longest times between two turns of the timers since they were asked for last, milliseconds. */
export interface LongestTurn {
  readonly cpuMs: number;
  readonly wallMs: number;
}

const everyMs = 1;
let longest = { cpuMs: 0, wallMs: 0 };
let last = { cpuMs: threadCpuMs(), wallMs: performance.now() };
setInterval(() => {
  const now = { cpuMs: threadCpuMs(), wallMs: performance.now() };
  longest = {
    cpuMs: Math.max(longest.cpuMs, now.cpuMs - last.cpuMs),
    wallMs: Math.max(longest.wallMs, now.wallMs - last.wallMs - everyMs),
  };
  last = now;
}, everyMs).unref();
process.on('message', () => {
  process.send?.(longest satisfies LongestTurn);
  longest = { cpuMs: 0, wallMs: 0 };
});
// A gateway that has ended its work is not kept by the channel.
process.channel?.unref();

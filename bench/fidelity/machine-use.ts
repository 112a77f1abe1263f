/** How busy this machine's cores are, from the kernel's own count: what pods, cluster, load and everybody else use together. */
import { existsSync, readFileSync } from 'node:fs';

const file = '/proc/stat';
/** The kernel counts in hundredths of a second, whatever its own clock is. */
const perSecond = 100;

/** Whether the kernel tells it here: Linux. */
export const tellsUse = (): boolean => existsSync(file);

/** Core-seconds since the machine started in which a core had something to do, or was taken by the host. */
export function busyCoreSeconds(text: string = readFileSync(file, 'utf8')): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
    /^cpu +(.*)$/m.exec(text)?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / perSecond;
}

/** Core-seconds that were used, and how long it took, since this was made. */
export class Use {
  readonly #busy = busyCoreSeconds();
  readonly #atMs = performance.now();

  /** Core-seconds beyond `restCores` used all the while. */
  beyond(restCores: number): number {
    return Math.max(0, this.coreSeconds - restCores * this.seconds);
  }

  get coreSeconds(): number {
    return busyCoreSeconds() - this.#busy;
  }

  get seconds(): number {
    return (performance.now() - this.#atMs) / 1_000;
  }
}

/** Cores in use in each of so many steps of time, one after the other. */
export async function coresOverTime(stepSeconds: number, steps: number): Promise<number[]> {
  const cores: number[] = [];
  while (cores.length < steps) {
    const use = new Use();
    await new Promise((resolve) => setTimeout(resolve, 1_000 * stepSeconds));
    cores.push(use.coreSeconds / use.seconds);
  }
  return cores;
}

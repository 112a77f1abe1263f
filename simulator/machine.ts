/**
 * One machine for everything: its cores are shared by pods that serve, pods that start, and all else. While more is asked
 * of it than it has, everybody gets the same part of what he asked, so one clock of work done tells when each is finished.
 */
import { chance } from './chance.ts';

/** What a machine has, and what is asked of it. All of it can be measured before a replay. */
export interface MachineConfig {
  readonly cores: number;
  /** How fast each core is while all are busy, over one alone: two threads of one core, or one memory for all, are no two cores; 1. */
  readonly speedWhenFull?: number | undefined;
  /** Cores that a busy slot asks for: the pod's own and what hop, client and kernel do meanwhile for the same requests. */
  readonly coresPerBusySlot: number;
  /** Cores that a starting pod asks for, from its place on the node until it is ready. */
  readonly coresPerStart: number;
  /** Cores that all else asked for in steps of time, one after the other; gone through over and over from where the seed says. */
  readonly rest: { readonly stepSeconds: number; readonly cores: readonly number[] };
}

/** What everybody gets of what he asks for while so many cores are asked for together. */
function speedOf({ cores, speedWhenFull = 1 }: MachineConfig, asked: number): number {
  if (asked >= cores) return (speedWhenFull * cores) / asked;
  return asked <= 1 ? 1 : 1 - (1 - speedWhenFull) * ((asked - 1) / (cores - 1));
}

/** Work done, in seconds of somebody who gets all that he asks for, against the time that it took. */
export class Machine {
  /** Work that one who has been there all the time got done. */
  work = 0;
  /** When what the rest asks for changes next. */
  nextChange: number;
  readonly #config: MachineConfig;
  #step: number;
  #asked = 0;
  #speed = 1;
  #now = 0;

  constructor(config: MachineConfig, seed: number) {
    this.#config = config;
    this.#step = Math.floor(chance(seed, 7).next() * config.rest.cores.length);
    this.nextChange = config.rest.cores.length > 1 ? config.rest.stepSeconds : Number.POSITIVE_INFINITY;
    this.#share();
  }

  /** When that much work will be done if nobody asks for more or less until then. */
  timeOf(work: number): number {
    return this.#now + Math.max(0, work - this.work) / this.#speed;
  }

  /** Goes on to a time that no change lies before. */
  advance(time: number): void {
    this.work += (time - this.#now) * this.#speed;
    this.#now = time;
    if (time < this.nextChange) return;
    const { stepSeconds, cores } = this.#config.rest;
    this.#step = (this.#step + 1) % cores.length;
    this.nextChange += stepSeconds;
    this.#share();
  }

  /** What the pods ask for from now on. */
  ask(busySlots: number, starting: number): void {
    const { coresPerBusySlot, coresPerStart } = this.#config;
    this.#asked = busySlots * coresPerBusySlot + starting * coresPerStart;
    this.#share();
  }

  #share(): void {
    this.#speed = speedOf(this.#config, this.#asked + (this.#config.rest.cores[this.#step] ?? 0));
  }
}

/** How many times as long somebody took who asked for so many cores beside the rest: what a time that was measured there is more than its work. */
export function slowdownBesideRest(machine: MachineConfig, asked: number): number {
  const { rest } = machine;
  const speeds = rest.cores.map((others) => speedOf(machine, asked + others));
  return speeds.length === 0 ? 1 : speeds.length / speeds.reduce((sum, speed) => sum + speed, 0);
}

/** Service and start-up times: the named ones of the tables, and any that a user writes or measured. */
import type { Chance } from './chance.ts';
import { readSamples } from './measured-samples.ts';

/** A distribution of seconds. */
export interface Seconds {
  readonly name: string;
  readonly mean: number;
  sample(chance: Chance): number;
}

const { exp, log1p, sqrt } = Math;

/** Always the same. */
export const constant = (seconds: number): Seconds => ({
  name: `${seconds}s`,
  mean: seconds,
  sample: () => seconds,
});

/** Uniform from `low` to `high` seconds. */
export const uniform = (low: number, high: number): Seconds => ({
  name: `${low}-${high}s`,
  mean: (low + high) / 2,
  sample: (chance) => low + (high - low) * chance.next(),
});

/** Log-normal by its mean in seconds and its squared coefficient of variation. */
export function lognormal(mean: number, scv: number): Seconds {
  const sigma = sqrt(log1p(scv));
  const median = mean / sqrt(1 + scv);
  return {
    name: `${Math.round(mean * 1e6) / 1e3}ms`,
    mean,
    sample: (chance) => median * exp(sigma * chance.normal()),
  };
}

/** Any of these, each as likely as the other: what a script measured. */
export function measured(name: string, samples: readonly number[]): Seconds {
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  return {
    name,
    mean,
    sample: (chance) => samples[Math.floor(chance.next() * samples.length)] ?? mean,
  };
}

export interface Service {
  readonly name: string;
  readonly seconds: Seconds;
  /** The promise that is held to it where none is given, milliseconds. */
  readonly sloMs: number;
}

/** ResNet34 as Faro measured it: 0.0793 s + log-normal(scale 0.0686 s, shape 0.4225); mean 154 ms, scv 0.05. */
const resnet34: Seconds = {
  name: 'resnet34',
  mean: 0.0793 + 0.0686 * exp(0.4225 ** 2 / 2),
  sample: (chance) => 0.0793 + 0.0686 * exp(0.4225 * chance.normal()),
};

/** Services by name. */
export const services: Readonly<Record<string, Service>> = {
  fast: { name: 'fast', seconds: lognormal(0.021, 0.05), sloMs: 100 },
  resnet34: { name: 'resnet34', seconds: resnet34, sloMs: 500 },
};

/** `resnet34`, `fast`, a mean with an optional scv (`80ms`, `1.5s:0.3`), or a file that was measured. Undefined: none of these. */
export function parseService(text: string): Service | undefined {
  const named = services[text];
  if (named !== undefined) return named;
  if (text.endsWith('.json')) {
    const file = readSamples(text);
    if (file === undefined) return undefined;
    const seconds = measured(file.model, file.samples);
    return { name: file.model, seconds, sloMs: Math.max(1, Math.round(seconds.mean * 1_000 * 3.25)) };
  }
  const match = /^(\d+(?:\.\d+)?)(ms|s)(?::(\d+(?:\.\d+)?))?$/.exec(text);
  if (match === null) return undefined;
  const mean = Number(match[1]) / (match[2] === 'ms' ? 1_000 : 1);
  if (!(mean > 0)) return undefined;
  return { name: text, seconds: lognormal(mean, Number(match[3] ?? 0.05)), sloMs: mean * 1_000 * 3.25 };
}

/** `12s` or `8-18s`: constant or uniform; or a file that was measured. Undefined when it is none of these. */
export function parseStartup(text: string): Seconds | undefined {
  if (text.endsWith('.json')) {
    const file = readSamples(text);
    return file === undefined ? undefined : measured(file.model, file.samples);
  }
  const match = /^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?s?$/.exec(text);
  if (match === null) return undefined;
  const low = Number(match[1]);
  if (match[2] === undefined) return constant(low);
  const high = Number(match[2]);
  return high >= low ? uniform(low, high) : undefined;
}

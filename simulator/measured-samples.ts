/** Times that were measured of real pods: the files of `npm run bench:measure-pods`. */
import { readFileSync } from 'node:fs';

export interface MeasuredSamples {
  readonly model: string;
  /** Seconds, each as likely as the other. */
  readonly samples: readonly number[];
}

/** Service times of one row, or creation to Ready; undefined where the file cannot be read or is none of these. */
export function readSamples(path: string): MeasuredSamples | undefined {
  let file: { version?: unknown; model?: unknown; rows?: Record<string, unknown>; createToReady?: unknown };
  try {
    file = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
  const samples = file.rows?.['1'] ?? file.createToReady;
  const whole =
    file.version === 1 &&
    Array.isArray(samples) &&
    samples.length > 0 &&
    samples.every((sample) => typeof sample === 'number' && sample >= 0 && Number.isFinite(sample));
  return whole ? { model: String(file.model), samples } : undefined;
}

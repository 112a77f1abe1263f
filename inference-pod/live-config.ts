/** The mounted ConfigMap, re-read while the pod runs: what changes without a new pod. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { LiveConfig } from '../crds/wire.ts';
import { messageOf } from '../protocol/errors.ts';

const schema = z.object({
  version: z.literal(1),
  timeoutMs: z.number().min(1).max(3_600_000),
  slaLatencyMs: z.array(z.number().positive()),
  shedAt: z.enum(['Timeout', 'SLA']).optional(),
  digests: z.record(z.string(), z.string()),
  fetch: z
    .object({
      httpsProxy: z.string().optional(),
      httpProxy: z.string().optional(),
      noProxy: z.array(z.string()).optional(),
      allowModelCidrs: z.array(z.string()).optional(),
    })
    .optional(),
});

/** What holds until a config.json is there. */
export const defaultLiveConfig: LiveConfig = { version: 1, timeoutMs: 1000, slaLatencyMs: [], digests: {} };

/** The latency that waiting is held to: the highest promised one with `shedAt: SLA`. */
export const shedMs = ({ shedAt, slaLatencyMs }: LiveConfig): number | undefined =>
  shedAt === 'SLA' && slaLatencyMs.length > 0 ? Math.max(...slaLatencyMs) : undefined;

/** Longest batch: a third of the tightest promise, or of the timeout where nothing is promised. */
export const batchCapMs = ({ slaLatencyMs, timeoutMs }: LiveConfig): number =>
  Math.min(timeoutMs, ...slaLatencyMs) / 3;

/** Reads `config.json` of a mounted ConfigMap; undefined when it is not there, an Error when it cannot be read as one. */
export const readLiveConfig = (dir: string): LiveConfig | Error | undefined => {
  let text: string;
  try {
    text = readFileSync(join(dir, 'config.json'), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    return new Error(`config.json cannot be read: ${messageOf(error)}`);
  }
};

export interface LiveConfigWatch {
  readonly current: LiveConfig;
  close(): void;
}

/**
 * Follows `config.json`. The kubelet swaps a symlink, so the identity of the file behind it is compared, once a second.
 * A file that disappears or does not parse leaves the last good one in force.
 */
export const watchLiveConfig = (
  dir: string,
  onChange: (config: LiveConfig) => void,
  onBroken: (error: Error) => void,
  everyMs = 1000,
): LiveConfigWatch => {
  const identity = () => {
    try {
      const stat = statSync(join(dir, 'config.json'), { bigint: true });
      return `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
    } catch {
      return '';
    }
  };
  let seen = '';
  let current = defaultLiveConfig;
  const look = () => {
    const now = identity();
    if (now === seen) return;
    seen = now;
    const read = readLiveConfig(dir);
    if (read instanceof Error) onBroken(read);
    else if (read !== undefined) {
      current = read;
      onChange(read);
    }
  };
  look();
  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    get current() {
      return current;
    },
    close: () => clearInterval(timer),
  };
};

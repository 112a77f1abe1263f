/** The inference pod as its image runs it: the model fetched, the configuration of a ModelDeployment that promises 100 ms. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LiveConfig } from '../../crds/wire.ts';
import type { Bundles } from '../../local/bundles.ts';
import type { Setting } from './server-process.ts';

/** The promise of the overload runs, milliseconds. */
export const slaMs = 100;

/** Fetches the model as the init container does, and returns the serving container's environment. */
export function prepareOurs({ model, port, directory }: Setting, bundles: Bundles): Record<string, string> {
  const config = join(directory, 'config');
  mkdirSync(config, { recursive: true });
  writeLive(directory, 'Timeout');
  const env = {
    BALLAST_MODEL_NAME: 'bench',
    BALLAST_MODEL_URI: `file://${model.path}`,
    BALLAST_FILE_ROOTS: dirname(model.path),
    BALLAST_MODEL_DIR: join(directory, 'model'),
    BALLAST_CONFIG_DIR: config,
    BALLAST_TERMINATION_LOG: join(directory, 'termination'),
    BALLAST_LISTEN_HOST: '127.0.0.1',
    BALLAST_HTTP_PORT: String(port),
    BALLAST_OPS_PORT: '0',
    BALLAST_GRPC_PORT: '0',
    BALLAST_DRAIN_DELAY_MS: '0',
    // One core, as the others: `taskset` pins the process, and the limit is what a pod would know of it.
    BALLAST_CPU_LIMIT_MILLICORES: '1000',
  };
  const fetched = spawnSync(process.execPath, [join(bundles.directory, 'inference-pod.mjs'), 'fetch'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    encoding: 'utf8',
  });
  if (fetched.status !== 0)
    throw new Error(`the model cannot be fetched: ${fetched.stdout}${fetched.stderr}`);
  return env;
}

function writeLive(directory: string, shedAt: 'Timeout' | 'SLA'): void {
  const live: LiveConfig = { version: 1, timeoutMs: 10_000, slaLatencyMs: [slaMs], shedAt, digests: {} };
  writeFileSync(join(directory, 'config/config.json'), JSON.stringify(live));
}

/** From now on the pod refuses what it cannot answer within the promise, as with `spec.traffic.shedAt: SLA`. */
export async function refuseAtSla({ directory }: Setting): Promise<void> {
  writeLive(directory, 'SLA');
  const log = join(directory, 'log');
  const said = () => readFileSync(log, 'utf8').split('live configuration read').length;
  const before = said();
  // The pod reads it again by itself, as it does when a ConfigMap changes.
  for (let tries = 0; said() === before && tries < 100; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  if (said() === before) throw new Error('the pod did not read its configuration again');
}

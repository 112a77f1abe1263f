/** The inference pod as its image runs it: the model fetched, the configuration of a ModelDeployment that promises 100 ms. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
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
  const live: LiveConfig = {
    version: 1,
    timeoutMs: 10_000,
    slaLatencyMs: [slaMs],
    shedAt: 'SLA',
    digests: {},
  };
  writeFileSync(join(config, 'config.json'), JSON.stringify(live));
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

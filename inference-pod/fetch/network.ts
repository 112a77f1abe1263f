/** How this pod reaches model servers: its environment, and before it what the operator says for the whole fleet. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { podFiles } from '../../crds/constants.ts';
import type { LiveConfig } from '../../crds/wire.ts';
import type { PodConfig } from '../config.ts';
import type { FetchOptions } from './fetch-model.ts';

/** The network part of the fetch's options. */
export function fetchNetwork(
  config: Pick<PodConfig, 'configDir' | 'allowModelCidr' | 'httpsProxy' | 'httpProxy' | 'noProxy'>,
  live: LiveConfig | undefined,
): Pick<FetchOptions, 'allowCidrs' | 'proxy' | 'ca'> {
  const fleet = live?.fetch;
  const ca = readCa(config.configDir);
  return {
    allowCidrs: [...config.allowModelCidr, ...(fleet?.allowModelCidrs ?? [])],
    proxy: {
      httpsProxy: fleet?.httpsProxy ?? config.httpsProxy,
      httpProxy: fleet?.httpProxy ?? config.httpProxy,
      noProxy: fleet?.noProxy ?? config.noProxy,
    },
    ...(ca === undefined ? {} : { ca }),
  };
}

function readCa(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, podFiles.ca), 'utf8');
  } catch {
    return undefined;
  }
}

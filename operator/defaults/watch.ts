/** Follows the file of defaults: a mounted ConfigMap changes under a running operator, and a broken one changes nothing. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../kube/clock.ts';
import { type Log, messageOf } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import { ConfigError } from '../config.ts';
import { type DefaultsFile, parseDefaults } from './schema.ts';

export interface DefaultsOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
  /** The defaults are others from now on. */
  readonly onChange: () => void;
  readonly everyMs?: number;
}

export interface Defaults {
  readonly current: DefaultsFile;
  stop(): void;
}

/** What holds without a file. */
const noDefaults: Defaults = { current: {}, stop() {} };

/** The kubelet itself needs up to a minute to bring a changed ConfigMap. */
const lookEveryMs = 5_000;

const read = (path: string): DefaultsFile =>
  parseDefaults(readFileSync(path, 'utf8'), (file) => readFileSync(join(dirname(path), file), 'utf8'));

/** Reads the file, throws what is wrong with it, and then follows it. */
export function watchDefaults(options: DefaultsOptions): Defaults {
  const { path, clock, log, observer, onChange, everyMs = lookEveryMs } = options;
  let current = read(path);
  let complaint: string | undefined;
  const tell = () => observer.gauge('defaults_file_broken', complaint === undefined ? 0 : 1);
  tell();
  const look = () => {
    let said: string | undefined;
    try {
      const found = read(path);
      if (JSON.stringify(found) !== JSON.stringify(current)) {
        current = found;
        observer.count('defaults_file_changes_total');
        log.info('new defaults are in force', { path });
        onChange();
      }
    } catch (error) {
      said = messageOf(error);
    }
    if (said !== undefined && said !== complaint)
      log.error('the file of defaults is broken, the defaults before it stay in force', {
        path,
        error: said,
      });
    if (said === undefined && complaint !== undefined)
      log.info('the file of defaults is whole again', { path });
    complaint = said;
    tell();
  };
  let cancel = () => {};
  const schedule = () => {
    cancel = clock.setTimer(everyMs, () => {
      look();
      schedule();
    });
  };
  schedule();
  return {
    get current() {
      return current;
    },
    stop: () => cancel(),
  };
}

/** The defaults of the file that the settings name, if any; one that is broken at start is a start error. */
export function readDefaults(path: string | undefined, options: Omit<DefaultsOptions, 'path'>): Defaults {
  if (path === undefined) return noDefaults;
  try {
    return watchDefaults({ ...options, path });
  } catch (error) {
    throw new ConfigError(`--defaults-file ${path}: ${messageOf(error)}`);
  }
}

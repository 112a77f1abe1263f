/** The file of defaults as a mounted ConfigMap: a folder whose link is swapped. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HeldClock } from '../../kube/clock.ts';
import { MetricsRegistry } from '../../kube/metrics.ts';
import { loopbackCertificate } from '../../local/apiserver/http/certificate.ts';
import { type Defaults, watchDefaults } from './watch.ts';

let folder: string;
let defaults: Defaults | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ballast-defaults-'));
});
afterEach(() => {
  defaults?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As the kubelet does it: a new folder, then the link to it is renamed over the old one. */
let serial = 0;
const mount = (files: Record<string, string>) => {
  serial += 1;
  mkdirSync(join(folder, `v${serial}`));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `v${serial}`, name), text);
  symlinkSync(`v${serial}`, join(folder, 'new'));
  renameSync(join(folder, 'new'), join(folder, 'data'));
};
const path = () => join(folder, 'data/defaults.yaml');

function start() {
  const clock = new HeldClock();
  const observer = new MetricsRegistry();
  const logged: string[] = [];
  const changes: unknown[] = [];
  const note = (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  defaults = watchDefaults({
    path: path(),
    clock,
    observer,
    log: { debug: note, info: note, warn: note, error: note },
    onChange: () => changes.push(defaults?.current),
  });
  return { clock, observer, logged, changes };
}

describe('the file of defaults', () => {
  test('is followed when the ConfigMap changes', () => {
    mount({ 'defaults.yaml': 'image: a:1\n' });
    const { clock, changes } = start();
    expect(defaults?.current).toEqual({ image: 'a:1' });
    clock.advance(60_000);
    expect(changes).toEqual([]);
    mount({ 'defaults.yaml': 'image: a:2\n' });
    clock.advance(5_000);
    expect(changes).toEqual([{ image: 'a:2' }]);
  });

  test('is followed where only the certificates beside it change', () => {
    const text = 'fetch: { caBundleFile: ca.crt }\n';
    const [first, second] = [1, 2].map(() => loopbackCertificate(['127.0.0.1'], Date.now()).cert) as [
      string,
      string,
    ];
    mount({ 'defaults.yaml': text, 'ca.crt': first });
    const { clock, changes, logged } = start();
    expect(defaults?.current).toEqual({ fetch: { caBundle: first } });
    mount({ 'defaults.yaml': text, 'ca.crt': second });
    clock.advance(5_000);
    expect(changes).toEqual([{ fetch: { caBundle: second } }]);
    mount({ 'defaults.yaml': text, 'ca.crt': 'none' });
    clock.advance(5_000);
    expect(defaults?.current).toEqual({ fetch: { caBundle: second } });
    expect(logged.at(-1)).toContain('fetch.caBundleFile: ca.crt: write certificates in PEM form');
  });

  test.each<[string, Record<string, string>, string]>([
    ['says what it may not', { 'defaults.yaml': 'imgae: a:3\n' }, 'unknown key imgae'],
    ['is no YAML', { 'defaults.yaml': '[' }, 'is no YAML'],
    ['is gone', {}, 'ENOENT'],
  ])('that %s leaves the old one in force, says so once, and heals', (_, files, why) => {
    mount({ 'defaults.yaml': 'image: a:1\n' });
    const { clock, changes, logged, observer } = start();
    expect(observer.value('defaults_file_broken')).toBe(0);
    mount(files);
    clock.advance(60_000);
    expect(defaults?.current).toEqual({ image: 'a:1' });
    expect(changes).toEqual([]);
    expect(observer.value('defaults_file_broken')).toBe(1);
    expect(logged).toEqual([expect.stringContaining(why)]);
    mount({ 'defaults.yaml': 'image: a:4\n' });
    clock.advance(5_000);
    expect(changes).toEqual([{ image: 'a:4' }]);
    expect(observer.value('defaults_file_broken')).toBe(0);
  });

  test('that is broken at start is an error', () => {
    mount({ 'defaults.yaml': 'imgae: a\n' });
    expect(() => start()).toThrow(/unknown key imgae/);
    mount({});
    expect(() => start()).toThrow(/ENOENT/);
  });
});

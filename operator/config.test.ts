/** Settings: flags over environment, unknown ones refused with what is known. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ConfigError, parseConfig } from './config.ts';

describe('settings', () => {
  test('have defaults that suit a cluster', () => {
    const config = parseConfig([], { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' });
    expect(config).toMatchObject({
      watchNamespaces: [],
      readNodes: false,
      fileRoots: ['/samples'],
      bakeTimeMs: 60_000,
      leaderElect: true,
      opsPort: 8081,
      inCluster: { host: '10.0.0.1', port: '443' },
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test.each<[string, string[], Record<string, string>, object]>([
    ['a flag with a space', ['--image', 'a:1'], {}, { image: 'a:1' }],
    ['a flag with an equals sign', ['--image=a:1=b'], {}, { image: 'a:1=b' }],
    ['a variable', [], { BALLAST_OPERATOR_FILE_ROOTS: '/a, /b' }, { fileRoots: ['/a', '/b'] }],
    ['a flag over a variable', ['--ops-port', '0'], { BALLAST_OPERATOR_OPS_PORT: '99' }, { opsPort: 0 }],
    [
      'namespaces, each once',
      ['--watch-namespaces', 'team-a, team-b,team-a'],
      {},
      { watchNamespaces: ['team-a', 'team-b'] },
    ],
    ['a switch', ['--leader-elect', 'false'], {}, { leaderElect: false }],
    ['KUBECONFIG', [], { KUBECONFIG: '/x' }, { kubeconfig: '/x' }],
    ['other variables are none of ours', [], { BALLAST_MODEL_URI: 'x' }, {}],
  ])('%s', (_, flags, environment, want) => {
    expect(parseConfig(flags, environment)).toMatchObject(want);
  });

  test.each<[string, string[], Record<string, string>, RegExp]>([
    ['an unknown flag', ['--imgae', 'x'], {}, /unknown flag --imgae; known are .*--image,/],
    ['an unknown variable', [], { BALLAST_OPERATOR_IMGAE: 'x' }, /unknown variable BALLAST_OPERATOR_IMGAE/],
    ['a flag without its value', ['--image'], {}, /--image needs a value/],
    ['a port of no port', ['--ops-port', '70000'], {}, /--ops-port "70000"/],
    [
      'a duration without a unit',
      ['--bake-time', '60'],
      {},
      /--bake-time "60": write a whole number and a unit/,
    ],
    [
      'a namespace of no name',
      ['--watch-namespaces', 'a,B_c'],
      {},
      /--watch-namespaces "a,B_c": write names/,
    ],
    ['a switch of neither', ['--leader-elect', 'yes'], {}, /--leader-elect "yes"/],
  ])('%s is a start error', (_, flags, environment, message) => {
    expect(() => parseConfig(flags, environment)).toThrow(ConfigError);
    expect(() => parseConfig(flags, environment)).toThrow(message);
  });
});

test('docs/reference/operator.md names every flag, and none that is not there', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/reference/operator.md'), 'utf8');
  const table = page.slice(page.indexOf('| flag |'), page.indexOf('## '));
  const named = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(--[a-z-]+)`/g)].map(([, flag]) => flag),
  );
  let known: string[] = [];
  try {
    parseConfig(['--none'], {});
  } catch (error) {
    known = String(error).match(/--[a-z-]+(?=,|$)/g) ?? [];
  }
  expect(known.length).toBeGreaterThan(10);
  expect(named.sort()).toEqual(known.sort());
});

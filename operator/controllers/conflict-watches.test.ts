/** A taken name is watched, and only that name. */
import { expect, test } from '@jest/globals';
import { failure } from '../../kube/testing/fake-api.ts';
import { event, ScriptedApi, thing } from '../../kube/testing/scripted-api.ts';
import { ConflictWatches } from './conflict-watches.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const setUp = (most?: number) => {
  const api = new ScriptedApi();
  const changed: string[] = [];
  const watches = new ConflictWatches({
    api,
    ...(most === undefined ? {} : { most }),
    onChange: (key, uid, child) => void changed.push(`${key} ${uid} ${child}`),
  });
  return { api, changed, watches };
};

test('the holder that goes is told once, and one that only is there is not', async () => {
  const { api, changed, watches } = setUp();
  api.watchScripts = [[event('ADDED', thing('wine', 1)), 'open']];
  watches.set('shop/wine', 'u', ['services/wine']);
  watches.set('shop/wine', 'u', ['services/wine']);
  await turn();
  expect(api.watches).toMatchObject([{ namespace: 'shop', fieldSelector: 'metadata.name=wine' }]);
  expect(changed).toEqual([]);
  watches.set('shop/wine', 'u', []);
  await turn();
  expect(watches.size).toBe(0);
  api.watchScripts = [[event('ADDED', thing('wine', 1)), event('DELETED', thing('wine', 2)), 'open']];
  watches.set('shop/wine', 'u', ['services/wine']);
  await turn();
  expect(changed).toEqual(['shop/wine u services/wine']);
  expect(watches.size).toBe(0);
});

test('a watch that fails is made anew with the next look', async () => {
  const { api, changed, watches } = setUp();
  api.watchScripts = [[failure(403, 'Forbidden')], [event('MODIFIED', thing('wine', 2))]];
  watches.set('shop/wine', 'u', ['services/wine']);
  await turn();
  expect([watches.size, changed]).toEqual([0, []]);
  watches.set('shop/wine', 'u', ['services/wine']);
  await turn();
  expect(changed).toHaveLength(1);
});

test('many conflicts open few connections, and all of them end', async () => {
  const { api, watches } = setUp(2);
  for (const name of ['a', 'b', 'c']) watches.set(`shop/${name}`, name, [`services/${name}`]);
  await turn();
  expect([watches.size, api.watches.length]).toEqual([2, 2]);
  await watches.stop();
  expect(watches.size).toBe(0);
});

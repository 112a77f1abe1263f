import { describe, expect, test } from '@jest/globals';
import type { WatchEvent } from '../../kube/objects.ts';
import type { Body } from './support/client.ts';
import { openCluster } from './support/cluster.ts';
import { configMap } from './support/objects.ts';
import { said } from './support/words.ts';

const api = await openCluster();
const maps = api.path('configmaps');
const one = (name: string) => api.path('configmaps', name);
const labelled = (name: string, label: string, data: Record<string, string> = {}) =>
  configMap(name, data, { labels: { test: label } });
const select = (label: string) => ({ labelSelector: `test=${label}` });
const short = (event: WatchEvent<Body>) => `${event.type} ${event.object.metadata.name}`;

describe('a watch', () => {
  test('from a list gives what comes after, each with kind and apiVersion', async () => {
    await api.post(maps, labelled('before', 'from-list'));
    const list = await api.get(maps, select('from-list'));
    const watch = await api.watch(maps, {
      ...select('from-list'),
      resourceVersion: list.body.metadata.resourceVersion ?? '',
    });
    await api.post(maps, labelled('after', 'from-list'));
    await api.mergePatch(one('after'), { data: { a: '1' } });
    await api.delete(one('after'));
    const events = await watch.until((event) => event.type === 'DELETED');
    watch.close();
    expect(events.map(short)).toEqual(['ADDED after', 'MODIFIED after', 'DELETED after']);
    expect(events[0]?.object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });

  test('DELETED carries the last state with a resourceVersion of its own', async () => {
    const made = await api.post(maps, labelled('gone', 'deleted', { a: '1' }));
    const watch = await api.watch(maps, {
      ...select('deleted'),
      resourceVersion: made.body.metadata.resourceVersion ?? '',
    });
    await api.delete(one('gone'));
    const event = await watch.next();
    watch.close();
    expect(event).toMatchObject({ type: 'DELETED', object: { data: { a: '1' } } });
    expect(Number(event?.object.metadata.resourceVersion)).toBeGreaterThan(
      Number(made.body.metadata.resourceVersion),
    );
  });

  test.each([
    ['without resourceVersion', {}],
    ['from resourceVersion=0', { resourceVersion: 0 }],
  ])('%s gives what exists as ADDED first', async (_, query) => {
    const label = api.unique('initial');
    await api.post(maps, labelled(`${label}-a`, label));
    await api.post(maps, labelled(`${label}-b`, label));
    const watch = await api.watch(maps, { ...select(label), ...query });
    const events = [await watch.next(), await watch.next()];
    watch.close();
    expect(events.map((event) => event && short(event)).sort()).toEqual([
      `ADDED ${label}-a`,
      `ADDED ${label}-b`,
    ]);
  });

  test('of one object by its name gives that object alone', async () => {
    await api.post(maps, configMap('watched'));
    await api.post(maps, configMap('unwatched'));
    const watch = await api.watch(maps, { fieldSelector: 'metadata.name=watched' });
    await api.mergePatch(one('unwatched'), { data: { a: '1' } });
    await api.mergePatch(one('watched'), { data: { a: '1' } });
    const events = await watch.until((event) => event.type === 'MODIFIED');
    watch.close();
    expect(events.map(short)).toEqual(['ADDED watched', 'MODIFIED watched']);
  });

  test('an object that starts to match the selector is ADDED, one that stops is DELETED', async () => {
    const made = await api.post(maps, configMap('turncoat'));
    const watch = await api.watch(maps, {
      ...select('turn'),
      resourceVersion: made.body.metadata.resourceVersion ?? '',
    });
    await api.mergePatch(one('turncoat'), { metadata: { labels: { test: 'turn' } } });
    await api.mergePatch(one('turncoat'), { data: { a: '1' } });
    await api.mergePatch(one('turncoat'), { metadata: { labels: { test: null } } });
    const events = await watch.until((event) => event.type === 'DELETED');
    watch.close();
    expect(events.map(short)).toEqual(['ADDED turncoat', 'MODIFIED turncoat', 'DELETED turncoat']);
    // client-go relies on it: the object of this DELETED is the one before the change.
    expect(events[2]?.object.metadata.labels).toEqual({ test: 'turn' });
  });

  test('over all namespaces gives every namespace', async () => {
    const label = api.unique('everywhere');
    const watch = await api.watch('/api/v1/configmaps', { ...select(label), resourceVersion: 0 });
    await api.post(maps, labelled(label, label));
    const event = await watch.next();
    watch.close();
    expect(event).toMatchObject({ type: 'ADDED', object: { metadata: { namespace: api.namespace } } });
  });

  test('no-op writes send nothing', async () => {
    const made = await api.post(maps, labelled('quiet', 'quiet', { a: '1' }));
    const watch = await api.watch(maps, {
      ...select('quiet'),
      resourceVersion: made.body.metadata.resourceVersion ?? '',
    });
    await api.mergePatch(one('quiet'), { data: { a: '1' } });
    await api.mergePatch(one('quiet'), { data: { a: '2' } });
    const event = await watch.next();
    watch.close();
    expect(event?.object.data).toEqual({ a: '2' });
  });

  test('ends after timeoutSeconds', async () => {
    const watch = await api.watch(maps, { ...select('nothing-at-all'), timeoutSeconds: 1 });
    expect(await watch.next(5_000)).toBeUndefined();
  });
});

describe('bookmarks and streaming lists', () => {
  test('sendInitialEvents sends what exists and then the bookmark that says so', async () => {
    const label = api.unique('stream');
    await api.post(maps, labelled(`${label}-a`, label));
    await api.post(maps, labelled(`${label}-b`, label));
    const watch = await api.watch(maps, {
      ...select(label),
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
    });
    const events = await watch.until((event) => event.type === 'BOOKMARK');
    watch.close();
    expect(events.map((event) => event.type)).toEqual(['ADDED', 'ADDED', 'BOOKMARK']);
    const bookmark = events[2]?.object;
    expect(bookmark).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    expect(Number(bookmark?.metadata.resourceVersion)).toBeGreaterThan(0);
    expect(bookmark?.metadata.name).toBeUndefined();
  });

  test('sendInitialEvents of nothing sends the bookmark at once', async () => {
    const watch = await api.watch(maps, {
      ...select('nobody'),
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
    });
    expect((await watch.next())?.type).toBe('BOOKMARK');
    watch.close();
  });

  test('sendInitialEvents without resourceVersionMatch is refused', async () => {
    const answer = await api.get(maps, { watch: true, sendInitialEvents: true });
    expect(said(answer)).toBe(
      '422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  });

  test('sendInitialEvents on a list is refused', async () => {
    const answer = await api.get(maps, { sendInitialEvents: true });
    expect(said(answer)).toBe(
      '422 Invalid: ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    );
  });

  test('resourceVersionMatch on a plain watch is refused', async () => {
    const answer = await api.get(maps, { watch: true, resourceVersion: 0, resourceVersionMatch: 'Exact' });
    expect(said(answer)).toBe(
      '422 Invalid: ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    );
  });

  test('a watch that asks for bookmarks gets one before its timeout ends it', async () => {
    const list = await api.get(maps);
    const watch = await api.watch(maps, {
      ...select('no-change'),
      allowWatchBookmarks: true,
      resourceVersion: list.body.metadata.resourceVersion ?? '',
      timeoutSeconds: 4,
    });
    await api.post(maps, configMap('moves-the-version-on'));
    const events = [];
    for (;;) {
      const event = await watch.next(8_000);
      if (event === undefined) break;
      events.push(event.type);
    }
    expect(events.length).toBeGreaterThan(0);
    expect(new Set(events)).toEqual(new Set(['BOOKMARK']));
  });

  test('without allowWatchBookmarks none come', async () => {
    const watch = await api.watch(maps, { ...select('no-change'), timeoutSeconds: 2 });
    expect(await watch.next(8_000)).toBeUndefined();
  });
});

describe('a resourceVersion that cannot be served', () => {
  test('one that is too old is an ERROR event with 410 Expired', async () => {
    const group = `${api.unique('old')}.test`;
    const things = await api.install({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `olds.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'olds', singular: 'old', kind: 'Old', listKind: 'OldList' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    } as never);
    const watch = await api.watch(things, { resourceVersion: 1 });
    const event = await watch.next();
    watch.close();
    expect(event).toMatchObject({
      type: 'ERROR',
      object: {
        kind: 'Status',
        status: 'Failure',
        reason: 'Expired',
        code: 410,
        message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/),
      },
    });
  });

  test('one that is no number is refused', async () => {
    const answer = await api.get(maps, { watch: true, resourceVersion: 'abc' });
    expect(said(answer)).toBe(
      '500 (no reason): resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    );
  });

  test('a list at one that is far in the future is told to come back later', async () => {
    const answer = await api.get(maps, {
      resourceVersion: '9000000000',
      resourceVersionMatch: 'NotOlderThan',
    });
    expect(said(answer)).toMatch(
      /^504 Timeout: Timeout: Too large resource version: 9000000000, current: \d+$/,
    );
    expect(answer.body.details?.causes).toEqual([
      { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
    ]);
    expect(answer.body.details?.retryAfterSeconds).toBe(1);
  });
});

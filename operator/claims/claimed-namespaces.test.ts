/** Which namespaces are claimed, and what is said where. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ModelDeployment } from '../../crds/types.ts';
import { HeldClock } from '../../kube/clock.ts';
import { noLog } from '../../kube/log.ts';
import { MetricsRegistry } from '../../kube/metrics.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { ChangeHandler } from '../../kube/reflector.ts';
import { Store, type StoreChange } from '../../kube/store.ts';
import { FakeApi, failure } from '../../kube/testing/fake-api.ts';
import { makeDeployment } from '../model/testing/builders.ts';
import { claimNamespaces, claimProblems } from './claimed-namespaces.ts';
import type { Claims } from './claims.ts';

type Model = ModelDeployment & KubeObject;
const running: Claims[] = [];
afterEach(async () => {
  for (const claims of running.splice(0)) await claims.stop();
});

const model = (namespace: string, name: string): KubeObject => {
  const { metadata, ...rest } = makeDeployment();
  return {
    ...rest,
    metadata: { ...metadata, namespace, name, uid: `${namespace}-${name}`, resourceVersion: '1' },
  } as KubeObject;
};

async function start(leases: FakeApi, namespaces: string[], items: KubeObject[]) {
  const clock = new HeldClock();
  const metrics = new MetricsRegistry();
  const events: string[] = [];
  const store = new Store<Model>();
  const handlers: ChangeHandler<Model>[] = [];
  const tell = (change: StoreChange<Model> | undefined) => {
    for (const handler of change === undefined ? [] : handlers) handler(change as StoreChange<Model>);
  };
  const claims = claimNamespaces({
    api: leases,
    installation: 'a/x',
    namespaces,
    modelDeployments: {
      store,
      onChange(handler) {
        handlers.push(handler);
        return () => {};
      },
    },
    recorder: {
      record: (about, { reason }) => void events.push(`${reason} ${about.kind} ${about.metadata.name}`),
    },
    clock,
    log: noLog,
    metrics,
    onHeld: () => {},
  });
  running.push(claims);
  for (const item of items) tell(store.put(item as Model));
  claims.start();
  await clock.run(0);
  return { metrics, events, claims, remove: (key: string) => tell(store.remove(key)) };
}
const held = (claims: Claims) => claims.states().map(({ namespace, held: ours }) => `${namespace} ${ours}`);

describe('claims of an installation', () => {
  test('for the whole cluster: the namespaces that have a ModelDeployment, as long as they have one', async () => {
    const { claims, remove, metrics } = await start(
      new FakeApi(),
      [],
      [model('one', 'a'), model('one', 'b'), model('two', 'b')],
    );
    expect(held(claims)).toEqual(['one true', 'two true']);
    expect(metrics.snapshot().filter(({ name }) => name.startsWith('claim'))).toMatchObject([
      { name: 'claims_held', value: 2 },
      { name: 'claims_wanted', value: 2 },
    ]);
    remove('one/b');
    remove('two/b');
    expect(held(claims)).toEqual(['one true']);
    expect(claimProblems(claims, [])).toEqual([]);
  });

  test('for named namespaces: each of them, with or without models', async () => {
    const { claims, metrics } = await start(new FakeApi(), ['one', 'two'], []);
    expect(held(claims)).toEqual(['one true', 'two true']);
    const samples = metrics.snapshot().filter(({ name }) => name === 'claim_held');
    expect(samples.map(({ labels, value }) => [labels.namespace, value])).toEqual([
      ['one', 1],
      ['two', 1],
    ]);
  });

  test('a named one counts as missing until the first answer', async () => {
    const slow = new FakeApi();
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.before = () => promise;
    const { claims } = await start(slow, ['one'], []);
    expect(claimProblems(claims, ['one'])).toEqual(['namespace one is not claimed yet']);
    resolve();
    await new Promise((done) => setImmediate(done));
    expect(claimProblems(claims, ['one'])).toEqual([]);
  });

  test('one that another installation has is told at the Lease, and keeps only the named from being ready', async () => {
    const leases = new FakeApi();
    await (await start(leases, ['one'], [])).claims.stop();
    const other = leases.objects.get('Lease one/ballast-claim') as KubeObject & {
      spec: { holderIdentity: string };
    };
    other.spec.holderIdentity = 'b/y';
    const { claims, events, metrics } = await start(leases, [], [model('one', 'a'), model('two', 'b')]);
    expect(held(claims)).toEqual(['one false', 'two true']);
    expect(events).toEqual(['NamespaceNotClaimed Lease ballast-claim']);
    expect(claimProblems(claims, [])).toEqual([]);
    expect(claimProblems(claims, ['one', 'two'])).toEqual([
      expect.stringContaining('belongs to the operator installation b/y'),
    ]);
    metrics.snapshot();
    expect(metrics.value('claim_held', { namespace: 'one' })).toBe(0);
  });

  test('one whose Lease is forbidden is told at its models', async () => {
    const leases = new FakeApi();
    leases.before = () => {
      throw failure(403, 'Forbidden');
    };
    const { events } = await start(leases, [], [model('one', 'a'), model('one', 'b')]);
    expect(events).toEqual([
      'NamespaceNotClaimed ModelDeployment a',
      'NamespaceNotClaimed ModelDeployment b',
    ]);
  });
});

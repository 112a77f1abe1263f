/** Going to another spec and back leaves what was there before (after Acto): no field of the way there stays. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type SpecPart, sha } from '../testing/builders.ts';
import { World } from '../testing/world.ts';

/** Children without history, versions and the running number that only rises. */
function state(world: World): string {
  const { controllerRevisions: _, ...children } = world.children();
  const masked = Object.entries(children).map(([kind, objects]) => [
    kind,
    objects
      .map(({ metadata: { resourceVersion: _r, uid: _u, ...metadata }, ...rest }) => ({ ...rest, metadata }))
      .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)),
  ]);
  const { status } = world.deployment;
  return JSON.stringify(
    [masked, status?.stable, status?.summary, status?.scaling, status?.failures],
    null,
    1,
  );
}

const rest = (world: World) => {
  world.settle(400);
  world.nowMs += 120_000;
  world.settle();
};

const unset = {
  runtime: undefined,
  sla: undefined,
  traffic: undefined,
  rollout: undefined,
  access: undefined,
  suspend: undefined,
} as unknown as SpecPart;
const home: SpecPart = {
  ...unset,
  model: { uri: 'file:///samples/wine/model.onnx' },
  scaling: { mode: 'Fixed', replicas: 2 },
};

const parts = fc.record<Record<string, unknown>>(
  {
    model: fc.constantFrom(
      { uri: 'file:///samples/digits/model.onnx' },
      { uri: 'pvc://a/b.onnx', sha256: sha('a') },
      { uri: 'https://h/x.onnx', version: '2' },
      { uri: 'file:///etc/passwd' },
    ),
    runtime: fc.record(
      {
        image: fc.constantFrom('a:1', 'b:2'),
        threads: fc.integer({ min: 1, max: 4 }),
        env: fc.constant([{ name: 'A', value: 'b' }]),
        pod: fc.constantFrom({ labels: { team: 'x' } }, { nodeSelector: { disk: 'ssd' } }),
      },
      { requiredKeys: [] },
    ),
    sla: fc.constantFrom({ latency: { p95: '50ms' }, window: '1m' }, { errorRate: '1%', window: '5m' }),
    traffic: fc.constantFrom({ timeout: '3s' }, { timeout: '99h' }),
    access: fc.constantFrom({ networkPolicy: 'Restricted' }, { networkPolicy: 'Off' }),
    suspend: fc.boolean(),
    scaling: fc.constantFrom({ mode: 'Fixed', replicas: 0 }, { mode: 'Fixed', replicas: 5 }),
  },
  { requiredKeys: [] },
);

describe('there and back', () => {
  test('any spec between leaves no trace', () => {
    fc.assert(
      fc.property(parts, (away) => {
        const world = new World(2);
        world.write(home);
        rest(world);
        const before = state(world);
        world.write(away as SpecPart);
        rest(world);
        world.write(home);
        rest(world);
        expect(state(world)).toBe(before);
      }),
      { numRuns: 60 },
    );
  });
});

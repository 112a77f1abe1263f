/** Every order of events at a tiny size (after Kivi): two replicas, two revisions, as many steps as lead anywhere new. */
import { describe, expect, test } from '@jest/globals';
import { World } from '../testing/world.ts';
import { surgeOf } from './planner.ts';

const spec = (name: string) => ({ model: { uri: `file:///samples/wine/${name}.onnx` } });

/** Bound of the search, for time: the nearest states first. 8,400 of them were searched once, in half a minute. */
const maxStates = 1_500;

const actions: Record<string, (world: World) => void> = {
  reconcile: (world) => void world.operator(),
  'Deployment controller': (world) => world.deploymentController(),
  'a pod becomes ready': (world) => void world.kubelet((pods) => pods[0]),
  'the newest pod becomes ready': (world) => void world.kubelet((pods) => pods.at(-1)),
  'a ready pod dies': (world) => world.die(),
  'the user edits': (world) =>
    void world.write(spec(world.deployment.spec.model.uri.endsWith('/1.onnx') ? '2' : '1')),
};

describe('every order of events', () => {
  test('never takes a ready pod that is needed, never exceeds the surge, never says two things at once', () => {
    const start = new World(2, spec('1'));
    start.settle();
    let level: { world: World; path: readonly string[] }[] = [{ world: start, path: [] }];
    const seen = new Set([start.fingerprint()]);
    while (level.length > 0 && seen.size < maxStates) {
      const next: typeof level = [];
      for (const { world, path } of level) {
        for (const [name, act] of Object.entries(actions)) {
          const after = world.fork();
          const { mustStay } = after;
          act(after);
          const story = [...path, name];
          const asked = after.deployments().reduce((sum, child) => sum + (child.spec.replicas ?? 0), 0);
          const said = (type: string) =>
            after.deployment.status?.conditions?.find((one) => one.type === type)?.status;
          const broken = [
            name === 'Deployment controller' && after.ready < mustStay && 'a pod that is needed was taken',
            asked > 2 * after.needed + surgeOf(after.needed) && `${asked} pods were asked for`,
            said('Reconciling') === 'True' && said('Stalled') === 'True' && 'it is Reconciling and Stalled',
            name === 'reconcile' &&
              said('Available') !== (after.ready > 0 ? 'True' : 'False') &&
              `Available is ${said('Available')} with ${after.ready} ready`,
          ].filter((one) => one !== false);
          // One expectation where something is wrong: four at each step took a third of the test's 4 CPU seconds.
          if (broken.length > 0) expect({ story, broken }).toEqual({ story, broken: [] });
          const key = after.fingerprint();
          if (seen.has(key)) continue;
          seen.add(key);
          next.push({ world: after, path: story });
        }
      }
      level = next;
    }
    expect(seen.size).toBeGreaterThan(1_000);
  });
});

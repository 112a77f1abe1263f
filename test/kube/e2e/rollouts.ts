/** Rows about revisions: a good one takes over without a lost request, a bad one is named while the old one serves. */
import { describe, expect, test } from '@jest/globals';
import { until } from '../../until.ts';
import type { Bed } from './bed.ts';
import { lost, nothing } from './load.ts';
import { endlessModel } from './sources.ts';

/** Small on purpose: two nodes on the CPUs of one machine. */
export const smallPod = {
  resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
};
export const wine = { uri: 'file:///samples/wine/model.onnx' };
/** A machine that is busy with its cluster may be slow: that is not what is looked at. */
export const patient = { timeout: '10s' };

const bad = [
  {
    name: 'crashes',
    change: { runtime: { ...smallPod, env: [{ name: 'NODE_OPTIONS', value: '--no-such-option' }] } },
    reason: 'PodCrashing',
    says: /container serve, exit code 9: .*--no-such-option/s,
  },
  {
    name: 'unpullable',
    change: { runtime: { ...smallPod, image: 'docker.io/ballast/nobody-made-this:1' } },
    reason: 'ImagePullFailed',
    says: /docker\.io\/ballast\/nobody-made-this:1/,
  },
  {
    name: 'never-ready',
    change: { model: { uri: endlessModel } },
    reason: 'ProgressDeadlineExceeded',
    says: /0 of 1 pods were ready within 20s/,
  },
];

/** Rows of this file. */
export function rolloutRows(bed: Bed): void {
  describe('a new revision', () => {
    test('takes over under load without a lost request', async () => {
      const spec = (version: string) => ({
        model: { ...wine, version },
        runtime: smallPod,
        traffic: patient,
        scaling: { mode: 'Fixed', replicas: 2 },
      });
      await bed.model('steady', spec('1'));
      await bed.untilReady('steady');
      const load = { model: 'steady', sample: 'wine', requestsPerSecond: 20 };
      const { figures } = await bed.during('a rolling update of two replicas', load, async (running) => {
        await running.succeed(20);
        const old = new Set((await bed.podsOf('steady')).map(({ metadata }) => metadata.uid));
        await bed.model('steady', spec('2'));
        await bed.untilReady('steady');
        await until('the old pods are gone', async () =>
          (await bed.podsOf('steady')).every(({ metadata }) => !old.has(metadata.uid)),
        );
      });
      expect(lost(figures)).toEqual(nothing);
    });

    test('that is bad is named, and the old one serves', async () => {
      const good = { model: wine, runtime: smallPod, traffic: patient, rollout: { progressDeadline: '20s' } };
      for (const { name } of bad) await bed.model(name, good);
      for (const { name } of bad) await bed.untilReady(name);
      const rows = bad.map(({ name, change, reason, says }) => {
        const load = { model: name, sample: 'wine', requestsPerSecond: 10 };
        return bed.during(`a revision that is ${name}, the old one`, load, async (running) => {
          const stable = (await bed.read(name)).status?.stable?.revision;
          await bed.model(name, { ...good, ...change });
          const status = await until(`${name} is Stalled`, async () => {
            const { status: now, metadata } = await bed.read(name);
            const stalled = now?.conditions?.find(({ type }) => type === 'Stalled');
            return stalled?.status === 'True' && stalled.observedGeneration === metadata.generation && now;
          });
          const condition = (type: string) => status.conditions?.find((one) => one.type === type);
          bed.say(
            `  ${name} after ${(running.now() / 1_000).toFixed(1)} s: ${condition('Stalled')?.reason}: ${condition('Stalled')?.message}`,
          );
          expect([name, condition('Available')?.status, condition('Ready')?.status]).toEqual([
            name,
            'True',
            'False',
          ]);
          expect(condition('Stalled')).toMatchObject({ reason, message: expect.stringMatching(says) });
          expect(condition('Stalled')?.message).toContain(`revision ${stable} keeps serving`);
          expect(status.stable).toMatchObject({ revision: stable, readyReplicas: 1 });
          await bed.model(name, good);
          await bed.untilReady(name);
        });
      });
      const settled = await Promise.allSettled(rows);
      for (const one of settled) if (one.status === 'rejected') throw one.reason;
      for (const one of settled)
        if (one.status === 'fulfilled') expect(lost(one.value.figures)).toEqual(nothing);
    });
  });
}

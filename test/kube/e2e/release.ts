/** Rows about the release: its own test, an upgrade and an uninstall that no model notices, helm 3 beside helm 4. */
import { describe, expect, test } from '@jest/globals';
import { type Bed, namespace, releaseNamespace } from './bed.ts';
import { release } from './installation.ts';
import { lost, nothing } from './load.ts';
import { smallPod, wine } from './rollouts.ts';

/** Which pods serve, and how often their containers were started. */
async function pods(bed: Bed): Promise<string[]> {
  const told = (await bed.podsOf('kept')).map(
    ({ metadata, status }) => `${metadata.uid} ${status?.containerStatuses?.map((one) => one.restartCount)}`,
  );
  return told.sort();
}

/** Writes something that needs the operator and no new pod. */
async function operatorWorks(bed: Bed, timeout: string): Promise<void> {
  await bed.model('kept', { model: wine, runtime: smallPod, traffic: { timeout } });
  await bed.untilReady('kept');
}

/** Rows of this file. */
export function releaseRows(bed: Bed): void {
  describe('the release', () => {
    test('passes its own test', async () => {
      const text = await bed.helm([
        'test',
        'ballast',
        '--namespace',
        releaseNamespace,
        '--logs',
        '--timeout',
        '2m',
      ]);
      expect(text).toMatch(/Phase:\s+Succeeded/);
    });

    test('is upgraded, uninstalled, and installed again by helm 3: no pod of a model restarts, no request fails', async () => {
      await operatorWorks(bed, '13s');
      const before = await pods(bed);
      expect(before).toHaveLength(1);
      const load = { model: 'kept', sample: 'wine', requestsPerSecond: 20 };
      const { figures } = await bed.during('helm upgrade, uninstall, install by helm 3', load, async () => {
        await bed.helm(['upgrade', ...release(bed, 'logLevel=debug'), '--wait', '--timeout', '2m']);
        await operatorWorks(bed, '14s');
        expect(await pods(bed)).toEqual(before);
        await bed.helm([
          'uninstall',
          'ballast',
          '--namespace',
          releaseNamespace,
          '--wait',
          '--timeout',
          '2m',
        ]);
        expect(await bed.kubectl('get', 'md', '-n', namespace, '-o', 'name')).toContain(
          'modeldeployment.ballast.dev/kept',
        );
        expect(await pods(bed)).toEqual(before);
        await bed.helm(['install', ...release(bed), '--wait', '--timeout', '2m'], 3);
        await operatorWorks(bed, '15s');
        expect(await pods(bed)).toEqual(before);
      });
      expect(lost(figures)).toEqual(nothing);
    });
  });
}

/** A cluster whose clock a test holds: back-off, grace and deadlines happen when the test says so. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HeldClock } from '../../kube/clock.ts';
import type { Deployment } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { isAlive, startTestbed, type Testbed, until } from './kubelet-testbed.ts';

const clock = new HeldClock();
let bed: Testbed;
beforeAll(async () => {
  bed = await startTestbed({ clock, backoff: { initialMs: 10_000, maxMs: 300_000 }, closeGraceMs: 100 });
});
afterAll(async () => {
  await bed.close();
});

const status = (name: string) => bed.pod(name)?.status?.containerStatuses?.[0];
const isWaiting = (restarts: number) => () =>
  status('loop')?.restartCount === restarts && status('loop')?.state?.waiting?.reason === 'CrashLoopBackOff';

test('a crashing container starts again at once, then after 10 s, then after 20 s', async () => {
  bed.runPod('loop', { containers: [{ name: 'c', image: 'fail', args: ['1'] }] });
  await until('first wait', isWaiting(1), () => bed.pod('loop'));
  expect(status('loop')?.state?.waiting?.message).toMatch(/^back-off 10s restarting failed container=c/);
  await clock.run(9_000);
  expect(isWaiting(1)()).toBe(true);
  await clock.run(1_500);
  await until('second wait', isWaiting(2));
  expect(status('loop')?.state?.waiting?.message).toMatch(/^back-off 20s/);
  await clock.run(20_500);
  await until('third wait', isWaiting(3));
  expect(status('loop')?.state?.waiting?.message).toMatch(/^back-off 40s/);
});

test('SIGKILL comes when the grace period is over, not before', async () => {
  bed.runPod('stubborn', {
    terminationGracePeriodSeconds: 30,
    containers: [{ name: 'c', image: 'stubborn' }],
  });
  await bed.hears('stubborn', 'started');
  const pid = Number(status('stubborn')?.containerID?.split('//')[1]);
  bed.cluster.registry.delete(resources.pods, { namespace: 'default', name: 'stubborn' });
  await clock.run(29_000);
  expect(isAlive(pid)).toBe(true);
  await clock.run(2_000);
  await until('gone', () => bed.pod('stubborn') === undefined);
  expect(isAlive(pid)).toBe(false);
});

test('a Deployment that makes no progress passes its deadline', async () => {
  bed.create(resources.deployments, {
    metadata: { name: 'stuck' },
    spec: {
      progressDeadlineSeconds: 60,
      selector: { matchLabels: { app: 'stuck' } },
      template: {
        metadata: { labels: { app: 'stuck' } },
        spec: { containers: [{ name: 'c', image: 'no-such-image' }] },
      },
    },
  });
  const progressing = () =>
    bed
      .find<Deployment>(resources.deployments, 'stuck')
      ?.status?.conditions?.find(({ type }) => type === 'Progressing');
  await until('started', () => progressing()?.status === 'True');
  await clock.run(62_000);
  await until('timed out', () => progressing()?.reason === 'ProgressDeadlineExceeded', progressing);
});

test('the cluster closes although its clock stands and a process ignores SIGTERM', async () => {
  bed.runPod('last', { terminationGracePeriodSeconds: 600, containers: [{ name: 'c', image: 'stubborn' }] });
  await bed.hears('last', 'started');
  const pid = Number(status('last')?.containerID?.split('//')[1]);
  await bed.cluster.close();
  expect(isAlive(pid)).toBe(false);
});

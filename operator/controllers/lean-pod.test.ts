/** What the cache keeps of a pod is enough for what is said of it. */
import { expect, test } from '@jest/globals';
import type { Pod } from '../../kube/objects.ts';
import { podFailures } from '../model/pods.ts';
import { leanPod } from './caches.ts';

const pod = (terminated: Record<string, unknown>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'wine-abc-1', namespace: 'a', labels: { 'ballast.dev/revision': 'abc' } },
  spec: {
    containers: [{ name: 'serve', image: 'i', env: [], resources: { limits: { memory: '256Mi' } } }],
  },
  status: {
    containerStatuses: [{ name: 'serve', ready: false, restartCount: 1, lastState: { terminated } }] as never,
  },
});

test('a container that the kernel ended is told with its limit, whatever its last words were', () => {
  const [failure] = podFailures(
    leanPod(pod({ exitCode: 137, reason: 'OOMKilled', message: '{"message":"ready"}' })),
    {},
  );
  expect(failure?.reason).toBe('OutOfMemory');
  expect(failure?.message).toContain('its memory limit of 256Mi');
});

test('of a container that ended otherwise nothing is kept', () => {
  expect(leanPod(pod({ exitCode: 1, reason: 'Error' })).spec.containers).toEqual([]);
});

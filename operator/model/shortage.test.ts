/** What is short, from kube-scheduler's own words (1.36, and how 1.25 to 1.30 put it). */
import { describe, expect, test } from '@jest/globals';
import { remedyFor, shortOf } from './shortage.ts';

describe('what a pod without a node is short of', () => {
  test.each([
    [
      '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
      'cpu',
    ],
    [
      '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
      'cpu',
    ],
    ['0/3 nodes are available: 1 Insufficient memory, 2 Insufficient cpu. preemption: not eligible', 'cpu'],
    ['0/2 nodes are available: 2 Insufficient memory, 2 Insufficient cpu.', 'cpu, memory'],
    [
      '0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.',
      'cpu',
    ],
    ['0/1 nodes are available: 1 Insufficient nvidia.com/gpu.', 'nvidia.com/gpu'],
    ['0/1 nodes are available: 1 Insufficient ephemeral-storage.', 'ephemeral-storage'],
    ['0/1 nodes are available: 1 Too many pods.', 'pods'],
    ['0/2 nodes are available: 2 node(s) had untolerated taint {gpu: yes}.', 'taint'],
    ['0/2 nodes are available: 2 node(s) had untolerated taint(s).', 'taint'],
    ["0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", 'affinity'],
    ["0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.", 'affinity'],
    ["0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.", 'spread'],
    ['0/2 nodes are available: 2 node(s) had volume node affinity conflict.', 'volume'],
    ['0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found', 'volume'],
    ['0/2 nodes are available: persistentvolumeclaim "models" not found. not found', 'volume'],
    ['0/2 nodes are available: 2 node(s) exceed max volume count.', 'volume'],
    [
      '0/2 nodes are available: 2 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
      'cordon',
    ],
    ["0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.", 'ports'],
    ['0/1 nodes are available: 1 cannot allocate all claims.', 'device'],
    ['no nodes available to schedule pods', 'node'],
    ['0/1 nodes are available: 1 something that nobody has seen yet.', 'other'],
    ['', 'other'],
    ['persistentvolumeclaim "models" not found', 'volume'],
  ])('%s → %s', (message, short) => {
    expect(shortOf(message)).toBe(short);
  });

  test('the next action names what to change, and what one pod asks for', () => {
    const asked = (resource: string) => (resource === 'cpu' ? '4' : undefined);
    expect(remedyFor('cpu', asked)).toMatch(/each pod asks for 4 cpu.*spec\.runtime\.resources\.requests/);
    expect(remedyFor('cpu, memory', asked)).toMatch(/4 cpu/);
    expect(remedyFor('nvidia.com/gpu', asked)).toMatch(/^a node autoscaler adds a node; without one/);
    for (const [short, words] of [
      ['taint', 'tolerations'],
      ['affinity', 'nodeSelector'],
      ['spread', 'topologySpread'],
      ['volume', 'kubectl describe pvc'],
      ['pods', 'as many pods as it may'],
      ['cordon', 'uncordon'],
      ['node', 'no node'],
      ['ports', 'port'],
      ['device', 'device'],
      ['other', 'kubectl describe pod'],
    ] as const)
      expect(remedyFor(short, asked)).toContain(words);
  });
});

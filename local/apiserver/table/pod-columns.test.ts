import { describe, expect, test } from '@jest/globals';
import { podStatusWord } from './pod-columns.ts';

const pod = (status: object, more: object = {}) => ({
  metadata: {},
  spec: { initContainers: [{ name: 'i' }], containers: [{ name: 'c' }] },
  status,
  ...more,
});
const init = (state: object) => [{ name: 'i', state }];
const main = (state: object, ready = false) => [{ name: 'c', ready, state }];
const done = init({ terminated: { exitCode: 0 } });

describe('the status of a pod in one word', () => {
  test.each<[string, object]>([
    ['Pending', { phase: 'Pending' }],
    ['Init:0/1', { phase: 'Pending', initContainerStatuses: init({ running: {} }) }],
    ['Init:Error', { initContainerStatuses: init({ terminated: { exitCode: 1, reason: 'Error' } }) }],
    ['Init:ExitCode:3', { initContainerStatuses: init({ terminated: { exitCode: 3 } }) }],
    ['Init:CrashLoopBackOff', { initContainerStatuses: init({ waiting: { reason: 'CrashLoopBackOff' } }) }],
    [
      'ImagePullBackOff',
      { initContainerStatuses: done, containerStatuses: main({ waiting: { reason: 'ImagePullBackOff' } }) },
    ],
    [
      'OOMKilled',
      {
        initContainerStatuses: done,
        containerStatuses: main({ terminated: { exitCode: 137, reason: 'OOMKilled' } }),
      },
    ],
    [
      'Running',
      { phase: 'Running', initContainerStatuses: done, containerStatuses: main({ running: {} }, true) },
    ],
    ['Evicted', { phase: 'Failed', reason: 'Evicted' }],
  ])('%s', (word, status) => {
    expect(podStatusWord(pod(status))).toBe(word);
  });

  test('Terminating once it is being deleted', () => {
    const going = { ...pod({ phase: 'Running' }), metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(podStatusWord(going)).toBe('Terminating');
  });
});

import { expect, test } from '@jest/globals';
import type { ManagedFieldsEntry } from '../../kube/objects.ts';
import { replicasWriters, writersOf } from './replicas-writers.ts';

const replicas = { 'f:spec': { 'f:replicas': {} } };
const entry = (manager: string, minute: number, fieldsV1: Record<string, unknown> = replicas) =>
  ({ manager, operation: 'Update', time: `2026-01-01T12:0${minute}:00Z`, fieldsV1 }) as ManagedFieldsEntry;
const whole = { 'f:spec': { 'f:replicas': {}, 'f:template': {} } };

test('of managedFields only who else sets the count is kept, and of them only that', () => {
  expect(
    replicasWriters([
      entry('ballast-operator', 0, whole),
      entry('ballast-gateway', 1),
      entry('kube-controller-manager', 2, { 'f:status': { 'f:replicas': {} } }),
      entry('kubectl', 3, whole),
    ]),
  ).toEqual([entry('kubectl', 3)]);
});

test('the last writer is named first, each once', () => {
  const managedFields = [entry('kubectl', 1), entry('kube-controller-manager', 5), entry('kubectl', 2)];
  expect(writersOf({ metadata: { managedFields } })).toEqual(['kube-controller-manager', 'kubectl']);
  expect(writersOf({ metadata: {} })).toEqual([]);
});

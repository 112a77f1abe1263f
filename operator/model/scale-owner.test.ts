import { describe, expect, test } from '@jest/globals';
import type { FieldsOwner } from '../../crds/types.ts';
import { replicasOwners, scaleOwnerOf } from './scale-owner.ts';
import { makeDeployment } from './testing/builders.ts';

const replicas = { 'f:spec': { 'f:scaling': { 'f:replicas': {} } } };
const hpa: FieldsOwner = {
  manager: 'kube-controller-manager',
  operation: 'Update',
  subresource: 'scale',
  time: '2026-01-01T12:00:00Z',
  fieldsV1: replicas,
};
const user: FieldsOwner = {
  manager: 'kubectl',
  operation: 'Apply',
  time: '2026-01-01T11:00:00Z',
  fieldsV1: { 'f:spec': { 'f:model': {}, 'f:scaling': { 'f:mode': {}, 'f:replicas': {} } } },
};
const other: FieldsOwner = { manager: 'ballast-status', subresource: 'status', fieldsV1: { 'f:status': {} } };
const ownerOf = (...managedFields: FieldsOwner[]) =>
  scaleOwnerOf(makeDeployment({}, { metadata: { ...makeDeployment().metadata, managedFields } }));

test('of managedFields only the owners of the replica count are kept, and of them only that', () => {
  expect(replicasOwners([hpa, user, other])).toEqual([hpa, { ...user, fieldsV1: replicas }]);
});

describe('the owner of the count', () => {
  test.each<[string, FieldsOwner[], unknown]>([
    ['nobody', [other], undefined],
    [
      'an autoscaler',
      [hpa, other],
      { manager: 'kube-controller-manager', isAutoscaler: true, time: hpa.time },
    ],
    ['KEDA itself', [{ ...hpa, manager: 'keda' }], { manager: 'keda', isAutoscaler: true, time: hpa.time }],
    [
      'a person who scales',
      [{ ...hpa, manager: 'kubectl' }],
      { manager: 'kubectl', isAutoscaler: false, time: hpa.time },
    ],
    [
      'a controller manager that writes the object itself',
      [{ manager: 'kube-controller-manager', fieldsV1: replicas }],
      { manager: 'kube-controller-manager', isAutoscaler: false, time: undefined },
    ],
    [
      'a manifest that agrees with the autoscaler',
      [hpa, user],
      { manager: 'kube-controller-manager', isAutoscaler: false, time: hpa.time },
    ],
  ])('%s', (_, entries, want) => {
    expect(ownerOf(...entries)).toEqual(want);
  });
});

/** Kinds that the operator reads and writes. */
import { apiGroup, apiVersion, kind, plural } from '../../crds/constants.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import type { ChildKind } from '../model/snapshot.ts';

export const modelDeployments: ResourceType = {
  group: apiGroup,
  version: apiVersion,
  plural,
  kind,
  namespaced: true,
};

/** Type of a child kind. */
export const childType = (kindOfChild: ChildKind): ResourceType => resources[kindOfChild];

/** `deployments.apps`, as RBAC rules and people spell it. */
export const rbacName = ({ plural: name, group }: ResourceType): string =>
  group === '' ? name : `${name}.${group}`;

/** Kinds that the operator reads and writes. */
import { type ResourceType, resources } from '../../kube/resource.ts';
import type { ChildKind } from '../model/snapshot.ts';

/** Type of a child kind. */
export const childType = (kindOfChild: ChildKind): ResourceType => resources[kindOfChild];

/** `deployments.apps`, as RBAC rules and people spell it. */
export const rbacName = ({ plural: name, group }: ResourceType): string =>
  group === '' ? name : `${name}.${group}`;

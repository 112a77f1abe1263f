/** Checks of built-in kinds that no schema can say: names, references between fields, what may not change. */
import type { FieldError } from '../../../crds/structural/field-error.ts';
import { isObject } from '../../../crds/structural/schema-node.ts';
import { definitionErrors } from './definition.ts';
import { clusterErrors } from './semantic/cluster.ts';
import { networkErrors } from './semantic/network.ts';
import { podErrors } from './semantic/pods.ts';
import { workloadErrors } from './semantic/workloads.ts';

/** Errors of one object after defaulting; with `old`, errors of the change too. Metadata is judged elsewhere. */
export function semanticErrors(kind: string, object: unknown, old: unknown): FieldError[] {
  if (!isObject(object)) return [];
  if (kind === 'Pod') return podErrors(object, old);
  if (kind === 'CustomResourceDefinition') return definitionErrors(object, old);
  return (
    workloadErrors(kind, object, old) ??
    networkErrors(kind, object, old) ??
    clusterErrors(kind, object, old) ??
    []
  );
}

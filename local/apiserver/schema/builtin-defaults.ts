/** Defaults of built-in kinds: what the schema says, then what depends on other fields, then canonical quantities. */
import { applyDefaults } from '../../../crds/structural/defaults.ts';
import {
  fieldSchema,
  isObject,
  type JsonObject,
  mapValueSchema,
  type SchemaNode,
  setOwn,
} from '../../../crds/structural/schema-node.ts';
import {
  defaultBinding,
  defaultDefinition,
  defaultLimitRange,
  defaultNamespace,
  defaultNetworkPolicy,
  defaultPhase,
  defaultSecret,
  defaultService,
} from './defaults/others.ts';
import { defaultPod } from './defaults/pods.ts';
import {
  defaultAutoscaler,
  defaultDaemonSet,
  defaultDeployment,
  defaultReplicaSet,
  defaultStatefulSet,
} from './defaults/workloads.ts';
import { emptyObjectOf } from './empty-objects.ts';
import { canonicalQuantity } from './quantity.ts';

const byKind: Record<string, (object: JsonObject) => void> = {
  Pod: defaultPod,
  Deployment: defaultDeployment,
  ReplicaSet: defaultReplicaSet,
  StatefulSet: defaultStatefulSet,
  DaemonSet: defaultDaemonSet,
  HorizontalPodAutoscaler: defaultAutoscaler,
  Service: defaultService,
  Secret: defaultSecret,
  NetworkPolicy: defaultNetworkPolicy,
  RoleBinding: defaultBinding,
  ClusterRoleBinding: defaultBinding,
  Namespace: defaultNamespace,
  Lease: (lease) => dropNull(lease.spec, 'acquireTime', 'renewTime'),
  Event: (event) => {
    event.eventTime ??= null;
  },
  LimitRange: defaultLimitRange,
  PersistentVolume: defaultPhase,
  PersistentVolumeClaim: defaultPhase,
  CustomResourceDefinition: defaultDefinition,
};

/** Nulls that only the Event's own times keep. */
function dropNull(value: unknown, ...names: string[]): void {
  if (isObject(value)) for (const name of names) if (value[name] === null) delete value[name];
}

/** Go reads a null among the items of a list or the values of a map as the empty value of their type. */
function zeroNulls(value: unknown, schema: SchemaNode | undefined): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value))
    return value.map((item) => (item === null ? zeroOf(schema.items) : zeroNulls(item, schema.items)));
  if (!isObject(value)) return value;
  const values = mapValueSchema(schema);
  const result: JsonObject = {};
  for (const [name, inner] of Object.entries(value))
    setOwn(
      result,
      name,
      inner === null && values !== undefined && !Object.hasOwn(schema.properties ?? {}, name)
        ? zeroOf(values)
        : zeroNulls(inner, fieldSchema(schema, name)),
    );
  return result;
}

function zeroOf(schema: SchemaNode | undefined): unknown {
  if (schema?.type === 'string') return '';
  return schema?.type === 'object' ? {} : null;
}

/** Lists that are written even when they are empty, because their Go fields are. */
const keptEmpty = new Set(['rules', 'endpoints', 'subsets', 'storedVersions']);

/** Plain fields that are left out when they are false, 0 or empty, because their Go fields are. */
const leftOutZero = new Set(
  'minReadySeconds paused hostNetwork hostPID hostIPC stdin stdinOnce tty readOnly publishNotReadyAddresses initialDelaySeconds hostPort nodePort unschedulable workingDir subPath hostIP host'.split(
    ' ',
  ),
);

function isLeftOut(
  value: unknown,
  schema: SchemaNode,
  name: string,
  parent: SchemaNode | undefined,
): boolean {
  if (parent?.required?.includes(name) === true || keptEmpty.has(name)) return false;
  // So are the conditions of a definition, and of nothing else.
  if (name === 'conditions' && parent?.properties?.acceptedNames !== undefined) return false;
  // The ports of an EndpointSlice are kept, those of containers, Services and policies are not.
  if (name === 'ports' && parent?.properties?.endpoints !== undefined) return false;
  if (name === 'value') return value === '';
  if (value === false || value === 0 || value === '') return leftOutZero.has(name);
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && schema.additionalProperties !== undefined && Object.keys(value).length === 0;
}

/** Quantities in one spelling, empty lists and maps left out. Works in place on the copy that applyDefaults made. */
function canonicalise(value: unknown, schema: SchemaNode | undefined): void {
  if (Array.isArray(value)) for (const item of value) canonicalise(item, schema?.items);
  else if (isObject(value))
    for (const [name, inner] of Object.entries(value)) {
      const below = fieldSchema(schema, name);
      if (below === undefined) continue;
      if (below.format === 'quantity') value[name] = canonicalQuantity(inner);
      else if (isLeftOut(inner, below, name, schema)) delete value[name];
      else canonicalise(inner, below);
    }
}

/** A copy of the object with every default of its kind; applying it twice changes nothing more. */
export function applyBuiltinDefaults<T>(object: T, kind: string, schema: SchemaNode): T {
  const result = applyDefaults(zeroNulls(object, schema) as T, schema);
  canonicalise(result, schema);
  if (isObject(result)) {
    const { spec } = emptyObjectOf(kind);
    if (isObject(spec) && Object.keys(spec).length === 0) (result as JsonObject).spec ??= {};
    byKind[kind]?.(result);
  }
  return result;
}

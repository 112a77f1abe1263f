/** The scale subresource: an autoscaling/v1 Scale read from and written into the object. */
import type { Kind } from './kind.ts';
import { type AnyObject, cloneJson, isJson, type Json } from './object.ts';
import { labelSelectorText } from './selectors.ts';
import { badRequest, fault, invalid, noSuchPath } from './status-error.ts';

const steps = (path: string): string[] => path.split('.').filter((part) => part !== '');

/** The value at a dotted path such as `.spec.replicas`. */
export function valueAtPath(object: unknown, path: string): unknown {
  let value = object;
  for (const step of steps(path)) value = isJson(value) ? value[step] : undefined;
  return value;
}

function write(object: Json, path: string, value: unknown): void {
  const parts = steps(path);
  const last = parts.pop();
  let parent = object;
  for (const part of parts) {
    const next = parent[part];
    if (isJson(next)) parent = next;
    else {
      const made: Json = {};
      parent[part] = made;
      parent = made;
    }
  }
  if (last !== undefined) parent[last] = value;
}

/** The Scale of an object. */
export function scaleOf(kind: Kind, object: AnyObject): AnyObject {
  const paths = kind.scale;
  if (paths === undefined) throw noSuchPath();
  const replicas = valueAtPath(object, paths.specReplicasPath);
  if (kind.custom && replicas === undefined)
    throw badRequest(`the spec replicas field "${paths.specReplicasPath}" does not exist`);
  const selector =
    paths.labelSelectorPath === undefined ? undefined : valueAtPath(object, paths.labelSelectorPath);
  const selectorText =
    typeof selector === 'string' ? selector : labelSelectorText(isJson(selector) ? selector : {});
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: cloneJson({
      name,
      namespace,
      uid,
      resourceVersion,
      creationTimestamp,
    }) as AnyObject['metadata'],
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: {
      replicas: Number(valueAtPath(object, paths.statusReplicasPath) ?? 0),
      ...(selectorText === '' ? {} : { selector: selectorText }),
    },
  };
}

/** The object with what a Scale asks for. */
export function withScale(kind: Kind, old: AnyObject, scale: AnyObject): AnyObject {
  const paths = kind.scale;
  if (paths === undefined) throw noSuchPath();
  if (scale.kind !== 'Scale' || scale.apiVersion !== 'autoscaling/v1')
    throw badRequest(`expected a Scale of autoscaling/v1, got ${scale.kind} of ${scale.apiVersion}`);
  const replicas = isJson(scale.spec) ? (scale.spec.replicas ?? 0) : 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw badRequest(
      `Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal ${typeof replicas} into Go struct field ScaleSpec.spec.replicas of type int32`,
    );
  if (replicas < 0 && !kind.custom)
    throw invalid({ group: 'autoscaling', plural: 'scales', kind: 'Scale' }, old.metadata.name ?? '', [
      fault.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  const draft = cloneJson(old);
  write(draft, paths.specReplicasPath, replicas);
  const { resourceVersion, uid } = isJson(scale.metadata) ? scale.metadata : old.metadata;
  if (typeof resourceVersion === 'string' && resourceVersion !== '')
    draft.metadata.resourceVersion = resourceVersion;
  else delete draft.metadata.resourceVersion;
  if (typeof uid === 'string' && uid !== '') draft.metadata.uid = uid;
  return draft;
}

/** Events: one collection with two faces, core/v1 and events.k8s.io/v1. */
import type { Strategy } from '../kind.ts';
import type { AnyObject, Json } from '../object.ts';

/** [core/v1, events.k8s.io/v1] names of fields that differ. */
const names: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['source', 'deprecatedSource'],
  ['reportingComponent', 'reportingController'],
];

function rename(object: AnyObject, from: 0 | 1, apiVersion: string): AnyObject {
  const map = new Map(names.map((pair) => [pair[from], pair[from === 0 ? 1 : 0]]));
  const result: Json = {};
  for (const [field, value] of Object.entries(object)) result[map.get(field) ?? field] = value;
  return { ...result, apiVersion } as AnyObject;
}

/** The stored (core) form as events.k8s.io/v1 shows it. */
export function toEventsV1(object: AnyObject): AnyObject {
  const result = rename(object, 0, 'events.k8s.io/v1');
  for (const field of ['reportingController', 'reportingInstance'])
    if (result[field] === '') delete result[field];
  return result;
}

/** An events.k8s.io/v1 object in the stored (core) form. */
export const fromEventsV1 = (object: AnyObject): AnyObject => rename(object, 1, 'v1');
/** The stored form as core/v1 shows it. */
export const toCoreEvent = (object: AnyObject): AnyObject =>
  object.apiVersion === 'v1' ? object : { ...object, apiVersion: 'v1' };

export const eventStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  createOnUpdate: true,
};

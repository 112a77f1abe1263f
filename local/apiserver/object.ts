/** Objects as the API server holds them: plain JSON, frozen once stored. */
import type { KubeObject } from '../../kube/objects.ts';

/** Any Kubernetes object; fields beside apiVersion, kind and metadata are read by those who know the kind. */
export interface AnyObject extends KubeObject {
  [field: string]: unknown;
}

export type Json = Record<string, unknown>;

/** True for a JSON object (not an array, not null). */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The field as a JSON object, or an empty one. */
export function jsonAt(parent: unknown, field: string): Json {
  const value = isJson(parent) ? parent[field] : undefined;
  return isJson(value) ? value : {};
}

/** The field as a list, or an empty one. */
export function listAt(parent: unknown, field: string): unknown[] {
  const value = isJson(parent) ? parent[field] : undefined;
  return Array.isArray(value) ? value : [];
}

/** The field as text, or ''. */
export function textAt(parent: unknown, field: string): string {
  const value = isJson(parent) ? parent[field] : undefined;
  return typeof value === 'string' ? value : '';
}

/** The field as a number, or undefined. */
export function numberAt(parent: unknown, field: string): number | undefined {
  const value = isJson(parent) ? parent[field] : undefined;
  return typeof value === 'number' ? value : undefined;
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (!isJson(value)) return value;
  const result: Json = {};
  for (const key of Object.keys(value)) {
    if (value[key] === undefined) continue;
    // JSON.parse can bring an own `__proto__`; plain assignment would set the prototype instead.
    if (key === '__proto__')
      Object.defineProperty(result, key, { value: copy(value[key]), enumerable: true });
    else result[key] = copy(value[key]);
  }
  return result;
}

/** A deep, writable copy of JSON data; fields that are undefined are left out. */
export function cloneJson<T>(value: T): T {
  return copy(value) as T;
}

/** Freezes JSON data all the way down and returns it. */
export function freezeJson<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) freezeJson(item);
  }
  return value;
}

/** Deep equality of JSON data; an absent field equals an undefined one. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isJson(a) || !isJson(b)) return false;
  for (const key of Object.keys(a)) if (!sameJson(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}

/** Key of an object inside its collection. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

const encoded = new WeakMap<object, string>();

/** JSON text of a frozen object, made once however many watchers and lists send it. */
export function encodeFrozen(object: object): string {
  let text = encoded.get(object);
  if (text === undefined) {
    text = JSON.stringify(object);
    if (Object.isFrozen(object)) encoded.set(object, text);
  }
  return text;
}

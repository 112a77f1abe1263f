/** Reading and setting parts of objects whose shape only the schema knows. */
import { isObject, type JsonObject } from '../../../../crds/structural/schema-node.ts';

/** The part as an object, or undefined. */
export function objectAt(parent: unknown, name: string): JsonObject | undefined {
  const value = isObject(parent) ? parent[name] : undefined;
  return isObject(value) ? value : undefined;
}

/** The objects of a list, or none. */
export function objectsAt(parent: unknown, name: string): JsonObject[] {
  const value = isObject(parent) ? parent[name] : undefined;
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The part as a text; empty when it is none. */
export function textAt(parent: unknown, name: string): string {
  const value = isObject(parent) ? parent[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** Sets the part when it is absent or null. */
export function setDefault(parent: JsonObject, name: string, value: unknown): void {
  if (parent[name] === undefined || parent[name] === null) parent[name] = value;
}

/** Sets the part when it is absent, null or the empty text, as defaults of plain strings work. */
export function setDefaultText(parent: JsonObject, name: string, value: string): void {
  if (parent[name] === undefined || parent[name] === null || parent[name] === '') parent[name] = value;
}

/** The part as an object, made when it is absent. */
export function ensureObject(parent: JsonObject, name: string): JsonObject {
  const value = parent[name];
  if (isObject(value)) return value;
  const made: JsonObject = {};
  parent[name] = made;
  return made;
}

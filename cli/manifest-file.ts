/** The objects of a manifest file. */
import { readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';

/** `kubectl get md -o yaml` writes one List of all. */
function itemsOf(document: unknown): unknown[] {
  const { kind, items } = (document ?? {}) as { kind?: unknown; items?: unknown };
  return String(kind).endsWith('List') && Array.isArray(items) ? items : [document];
}

/** Every document of a YAML or JSON file, and of a list each of its items; throws where the file cannot be read. */
export const objectsIn = (file: string): unknown[] => loadAll(readFileSync(file, 'utf8')).flatMap(itemsOf);

/** The kinds that are served at this moment; CRDs come and go. */
import { groupVersionOf, type Kind } from './kind.ts';

export class Catalog {
  readonly #kinds = new Map<string, Kind>();
  #generation = 0;

  /** Rises at each change; what is derived from the catalog is rebuilt then. */
  get generation(): number {
    return this.#generation;
  }

  add(kind: Kind): void {
    this.#kinds.set(`${groupVersionOf(kind)}/${kind.plural}`, kind);
    this.#generation++;
  }

  remove(kind: Kind): void {
    if (this.#kinds.delete(`${groupVersionOf(kind)}/${kind.plural}`)) this.#generation++;
  }

  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#kinds.get(`${group === '' ? version : `${group}/${version}`}/${plural}`);
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.all().some((kind) => kind.group === group && kind.version === version);
  }

  /** The kind that an apiVersion and kind name. */
  findKind(apiVersion: string, kind: string): Kind | undefined {
    for (const candidate of this.#kinds.values())
      if (candidate.kind === kind && groupVersionOf(candidate) === apiVersion) return candidate;
    return undefined;
  }

  all(): Kind[] {
    return [...this.#kinds.values()];
  }

  /** One kind per collection: what a sweep over all stored objects needs. */
  collections(): Kind[] {
    const seen = new Map<string, Kind>();
    for (const kind of this.#kinds.values())
      if (!seen.has(kind.collection) && kind.verbs.includes('list')) seen.set(kind.collection, kind);
    return [...seen.values()];
  }
}

/** Building a Kind from the few facts that differ. */
import {
  allVerbs,
  type Column,
  type Kind,
  type KindSchema,
  type ScalePaths,
  type Strategy,
} from '../kind.ts';

export interface KindFacts {
  group?: string;
  version?: string;
  kind: string;
  plural: string;
  shortNames?: string[];
  categories?: string[];
  namespaced?: boolean;
  verbs?: string[];
  hasStatus?: boolean;
  scale?: ScalePaths;
  subresources?: Kind['subresources'];
  collection?: string;
  strategy?: Strategy;
  fieldSelectors?: string[];
  columns?: readonly Column[];
  fromStored?: Kind['fromStored'];
  toStored?: Kind['toStored'];
}

/** Fills in what most built-in kinds share. */
export function defineKind(facts: KindFacts, schema: KindSchema): Kind {
  const { group = '', version = 'v1', kind, plural, namespaced = true } = facts;
  return {
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames: facts.shortNames ?? [],
    categories: facts.categories ?? [],
    namespaced,
    verbs: facts.verbs ?? [...allVerbs],
    collection: facts.collection ?? (group === '' ? plural : `${plural}.${group}`),
    hasStatus: facts.hasStatus ?? false,
    ...(facts.scale === undefined ? {} : { scale: facts.scale }),
    subresources: facts.subresources ?? {},
    custom: false,
    strategy: { unconditionalUpdate: true, ...(facts.strategy ?? {}) },
    fieldSelectors: [
      'metadata.name',
      ...(namespaced ? ['metadata.namespace'] : []),
      ...(facts.fieldSelectors ?? []),
    ],
    ...(facts.columns === undefined ? {} : { columns: facts.columns }),
    schema,
    ...(facts.fromStored === undefined ? {} : { fromStored: facts.fromStored }),
    ...(facts.toStored === undefined ? {} : { toStored: facts.toStored }),
  };
}

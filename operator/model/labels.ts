/** Labels and selectors of children: what finds what. */
import { labels } from '../../crds/constants.ts';

/** Value of `app.kubernetes.io/managed-by` on everything that the operator makes. */
export const managedBy = 'ballast';
/** Value of `ballast.dev/role` on pods that answer predictions. */
export const servingRole = 'serving';

/** Labels of every child. */
export const childLabels = (name: string): Record<string, string> => ({
  [labels.deployment]: name,
  [labels.managedBy]: managedBy,
  [labels.appName]: 'ballast-model',
  [labels.appInstance]: name,
});

/** Labels of what belongs to one revision. */
export const revisionLabels = (name: string, revision: string): Record<string, string> => ({
  ...childLabels(name),
  [labels.revision]: revision,
});

/** All pods that serve, whatever their revision. */
export const servingSelector = (name: string): Record<string, string> => ({
  [labels.deployment]: name,
  [labels.role]: servingRole,
});

/** The pods of one revision. */
export const revisionSelector = (name: string, revision: string): Record<string, string> => ({
  [labels.deployment]: name,
  [labels.revision]: revision,
});

/** A selector as `status.selector` and `kubectl -l` spell it. */
export const selectorText = (selector: Record<string, string>): string =>
  Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** Revision that a child belongs to. */
export const revisionOf = (object: { metadata: { labels?: Record<string, string> } }): string | undefined =>
  object.metadata.labels?.[labels.revision];

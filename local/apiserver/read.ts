/** Lists: selectors, pages that stay consistent, resource versions. */
import { type Core, present } from './core.ts';
import type { Kind } from './kind.ts';
import type { AnyObject } from './object.ts';
import { type Match, parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { badRequest, expired, fault, futureResourceVersion, invalid, plainError } from './status-error.ts';

export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListOptions extends Selection {
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
}

export interface ListResult {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
  readonly items: readonly AnyObject[];
}

const plainFields = ['metadata.name', 'metadata.namespace'];

/** Why a field cannot be selected by; kinds that index nothing of their own word it differently. */
function fieldProblem(kind: Kind, field: string): string | undefined {
  if (kind.fieldSelectors.includes(field)) return undefined;
  const isPlain = !kind.custom && kind.fieldSelectors.every((known) => plainFields.includes(known));
  return isPlain
    ? `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
    : `field label not supported: ${field}`;
}

/** A test made of both selectors; undefined when everything is wanted. */
export function selectionMatch(kind: Kind, selection: Selection): Match | undefined {
  const byLabel = parseLabelSelector(selection.labelSelector);
  const byField = parseFieldSelector(selection.fieldSelector, (field) => fieldProblem(kind, field));
  if (byLabel === undefined) return byField;
  if (byField === undefined) return byLabel;
  return (object) => byLabel(object) && byField(object);
}

interface Token {
  revision: number;
  after: string;
}

function decodeToken(text: string): Token {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (typeof parsed === 'object' && parsed !== null && 'rv' in parsed && 'start' in parsed)
      return { revision: Number(parsed.rv), after: String(parsed.start) };
  } catch {
    // Falls through to the refusal below.
  }
  throw badRequest('invalid continue token: continue key is not valid: unexpected end of JSON input');
}

const encodeToken = (token: Token): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: token.after })).toString(
    'base64url',
  );

/** The revision that a text names; undefined for none or "0", which ask for any. */
export function parseResourceVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === '' || text === '0') return undefined;
  if (!/^\d+$/.test(text))
    throw plainError(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

function checkVersionMatch(options: ListOptions): void {
  const match = options.resourceVersionMatch;
  if (match === undefined || match === '') return;
  const refuse = (message: string) =>
    invalid({ group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' }, '', [
      fault.forbidden('resourceVersionMatch', message),
    ]);
  if ((options.resourceVersion ?? '') === '')
    throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if ((options.continue ?? '') !== '')
    throw refuse('resourceVersionMatch is forbidden when continue is provided');
  if (match !== 'Exact' && match !== 'NotOlderThan')
    throw invalid({ group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' }, '', [
      fault.notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']),
    ]);
  if (match === 'Exact' && options.resourceVersion === '0')
    throw refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
}

/** Lists a collection as one version of its kind shows it. */
export function listObjects(core: Core, kind: Kind, options: ListOptions): ListResult {
  checkVersionMatch(options);
  if ((options.continue ?? '') !== '' && ![undefined, '', '0'].includes(options.resourceVersion))
    throw badRequest('specifying resource version is not allowed when using continue');
  const match = selectionMatch(kind, options);
  const current = core.storage.revision;
  const asked = parseResourceVersion(options.resourceVersion);
  if (asked !== undefined && asked > current) throw futureResourceVersion(asked, current);
  const token =
    options.continue === undefined || options.continue === '' ? undefined : decodeToken(options.continue);
  const exact = options.resourceVersionMatch === 'Exact' || (options.limit ?? 0) > 0 ? asked : undefined;
  const isExact = options.resourceVersionMatch === 'Exact';
  const revision = token?.revision ?? (isExact ? exact : undefined) ?? current;
  if (revision < core.storage.forgottenRevision && revision < current)
    throw expired(
      token === undefined
        ? `The resourceVersion for the provided list is too old.`
        : 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
    );
  const namespace = kind.namespaced ? options.namespace : undefined;
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
  const items: AnyObject[] = [];
  let last = '';
  let left = 0;
  for (const [key, stored] of core.storage.list(kind.collection, namespace, revision)) {
    if (token !== undefined && key <= token.after) continue;
    if (items.length >= limit) {
      left++;
      continue;
    }
    const object = present(kind, stored);
    if (match !== undefined && !match(object)) continue;
    items.push(object);
    last = key;
  }
  const base = { resourceVersion: String(revision), items };
  if (left === 0) return base;
  const next = { ...base, continue: encodeToken({ revision, after: last }) };
  // Kubernetes counts what is left only when no selector filters it.
  return match === undefined ? { ...next, remainingItemCount: left } : next;
}

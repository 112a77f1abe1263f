/** Query parameters of the API, read once and typed. */
import type { DeleteOptions, PropagationPolicy } from '../delete.ts';
import { badRequest, fault, invalid } from '../status-error.ts';

const flag = (text: string | null): boolean | undefined =>
  text === null ? undefined : text === '' || text === 'true' || text === '1';

function wholeNumber(name: string, text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax (${name})`);
  return Number(text);
}

const filled = (text: string | null): string | undefined => (text === null || text === '' ? undefined : text);

/** Leaves out what is undefined, so that spreading it overrides nothing. */
export function compact<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/** What a list or watch asks for. */
export function listQuery(query: URLSearchParams) {
  return {
    watch: flag(query.get('watch')) ?? false,
    timeoutSeconds: wholeNumber('timeoutSeconds', query.get('timeoutSeconds')),
    options: {
      labelSelector: filled(query.get('labelSelector')),
      fieldSelector: filled(query.get('fieldSelector')),
      limit: wholeNumber('limit', query.get('limit')),
      continue: filled(query.get('continue')),
      resourceVersion: filled(query.get('resourceVersion')),
      resourceVersionMatch: filled(query.get('resourceVersionMatch')),
      allowWatchBookmarks: flag(query.get('allowWatchBookmarks')),
      sendInitialEvents: flag(query.get('sendInitialEvents')),
    },
  };
}

function optionsType(method: string | undefined) {
  const kind =
    { POST: 'CreateOptions', PUT: 'UpdateOptions', PATCH: 'PatchOptions' }[method ?? ''] ?? 'DeleteOptions';
  return { group: 'meta.k8s.io', plural: kind.toLowerCase(), kind };
}

/** What a write asks for. */
export function writeQuery(query: URLSearchParams, method: string | undefined) {
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((value) => value !== 'All' && value !== ''))
    throw invalid(optionsType(method), '', [fault.notSupported('dryRun', dryRun, ['All'])]);
  const validation = query.get('fieldValidation');
  if (validation !== null && !['Strict', 'Warn', 'Ignore', ''].includes(validation))
    throw invalid(optionsType(method), '', [
      fault.notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']),
    ]);
  const manager = filled(query.get('fieldManager'));
  if (manager !== undefined && manager.length > 128)
    throw badRequest('fieldManager: Too long: may not be more than 128 bytes');
  return {
    fieldManager: manager,
    dryRun: dryRun.includes('All'),
    fieldValidation: (validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn') as
      | 'Strict'
      | 'Warn'
      | 'Ignore',
    force: flag(query.get('force')),
  };
}

/** Delete options from the body; the query counts only where there is no body, as on a real server. */
export function deleteOptions(asked: URLSearchParams, body: unknown): DeleteOptions {
  const hasBody = typeof body === 'object' && body !== null;
  const given = hasBody ? (body as Record<string, unknown>) : {};
  const query = hasBody ? new URLSearchParams() : asked;
  const preconditions =
    typeof given.preconditions === 'object' && given.preconditions !== null
      ? (given.preconditions as Record<string, unknown>)
      : {};
  const dryRun = Array.isArray(given.dryRun)
    ? given.dryRun.includes('All')
    : query.getAll('dryRun').includes('All');
  return compact({
    uid: typeof preconditions.uid === 'string' ? preconditions.uid : undefined,
    resourceVersion:
      typeof preconditions.resourceVersion === 'string' ? preconditions.resourceVersion : undefined,
    propagationPolicy: (typeof given.propagationPolicy === 'string'
      ? given.propagationPolicy
      : filled(query.get('propagationPolicy'))) as PropagationPolicy | undefined,
    orphanDependents:
      typeof given.orphanDependents === 'boolean'
        ? given.orphanDependents
        : flag(query.get('orphanDependents')),
    gracePeriodSeconds:
      typeof given.gracePeriodSeconds === 'number'
        ? given.gracePeriodSeconds
        : wholeNumber('gracePeriodSeconds', query.get('gracePeriodSeconds')),
    dryRun,
  });
}

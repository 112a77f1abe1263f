/** Checks of pods and pod templates. */
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../../crds/structural/field-error.ts';
import { deepEqual, isObject, type JsonObject } from '../../../../crds/structural/schema-node.ts';
import { objectAt, objectsAt, textAt } from '../defaults/access.ts';
import { containerErrors } from './containers.ts';
import { isBlank, labelErrors, labelProblems, qualifiedNameProblems, subdomainProblems } from './names.ts';

function volumeErrors(spec: JsonObject, path: string): { errors: FieldError[]; names: Set<string> } {
  const names = new Set<string>();
  const errors: FieldError[] = [];
  objectsAt(spec, 'volumes').forEach((volume, index) => {
    const at = `${path}.volumes[${index}]`;
    const name = textAt(volume, 'name');
    const sources = Object.keys(volume).filter((key) => key !== 'name' && isObject(volume[key]));
    if (sources.length === 0) errors.push(required(at, 'must specify a volume type'));
    const [, ...more] = order.filter((source) => sources.includes(source));
    for (const source of more)
      errors.push(forbidden(`${at}.${source}`, 'may not specify more than 1 volume type'));
    if (name === '') errors.push(required(`${at}.name`));
    else errors.push(...labelProblems(name).map((problem) => invalid(`${at}.name`, name, problem)));
    if (names.has(name) && name !== '') errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    for (const [source, key] of [
      ['configMap', 'name'],
      ['secret', 'secretName'],
      ['persistentVolumeClaim', 'claimName'],
      ['hostPath', 'path'],
    ] as const) {
      const value = objectAt(volume, source);
      if (value !== undefined && isBlank(value[key])) errors.push(required(`${at}.${source}.${key}`));
    }
    for (const source of ['configMap', 'secret'])
      objectsAt(objectAt(volume, source), 'items').forEach((item, place) => {
        const itemAt = `${at}.${source}.items[${place}]`;
        if (isBlank(item.key)) errors.push(required(`${itemAt}.key`));
        if (isBlank(item.path)) errors.push(required(`${itemAt}.path`));
        else errors.push(...relativePathErrors(textAt(item, 'path'), `${itemAt}.path`));
      });
  });
  return { errors, names };
}

function relativePathErrors(path: string, field: string): FieldError[] {
  if (path.startsWith('/')) return [invalid(field, path, 'must be a relative path')];
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

/** The order in which sources are looked at, so that the first one is the one that stays. */
const order =
  'emptyDir hostPath secret nfs persistentVolumeClaim configMap downwardAPI csi projected ephemeral image'.split(
    ' ',
  );

function tolerationErrors(spec: JsonObject, path: string): FieldError[] {
  return objectsAt(spec, 'tolerations').flatMap((toleration, index) => {
    const at = `${path}.tolerations[${index}]`;
    const errors: FieldError[] = [];
    const [key, operator, value] = [
      textAt(toleration, 'key'),
      textAt(toleration, 'operator'),
      textAt(toleration, 'value'),
    ];
    if (key !== '')
      errors.push(...qualifiedNameProblems(key).map((problem) => invalid(`${at}.key`, key, problem)));
    if (key === '' && operator !== 'Exists')
      errors.push(
        invalid(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (toleration.tolerationSeconds !== undefined && toleration.effect !== 'NoExecute')
      errors.push(
        invalid(
          `${at}.effect`,
          toleration.effect ?? '',
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      );
    if (operator === 'Exists' && value !== '')
      errors.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    return errors;
  });
}

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** Errors of a pod's spec at its path. */
function podSpecErrors(spec: unknown, path: string): FieldError[] {
  if (!isObject(spec)) return [];
  const volumes = volumeErrors(spec, path);
  const errors = [...volumes.errors];
  const names = new Set<string>();
  const containers = objectsAt(spec, 'containers');
  if (containers.length === 0) errors.push(required(`${path}.containers`));
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'])
    objectsAt(spec, list).forEach((container, index) => {
      errors.push(...containerErrors(container, `${path}.${list}[${index}]`, volumes.names, names));
    });
  const restart = textAt(spec, 'restartPolicy');
  if (restart !== '' && !restartPolicies.includes(restart))
    errors.push(notSupported(`${path}.restartPolicy`, restart, restartPolicies));
  const dns = textAt(spec, 'dnsPolicy');
  if (dns !== '' && !dnsPolicies.includes(dns))
    errors.push(notSupported(`${path}.dnsPolicy`, dns, dnsPolicies));
  for (const field of ['serviceAccountName', 'nodeName', 'priorityClassName']) {
    const name = textAt(spec, field);
    if (name !== '')
      errors.push(...subdomainProblems(name).map((problem) => invalid(`${path}.${field}`, name, problem)));
  }
  const deadline = spec.activeDeadlineSeconds;
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2_147_483_647))
    errors.push(
      invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'),
    );
  errors.push(...labelErrors(spec.nodeSelector, `${path}.nodeSelector`), ...tolerationErrors(spec, path));
  objectsAt(spec, 'topologySpreadConstraints').forEach((constraint, index) => {
    const at = `${path}.topologySpreadConstraints[${index}]`;
    if (typeof constraint.maxSkew === 'number' && constraint.maxSkew <= 0)
      errors.push(invalid(`${at}.maxSkew`, constraint.maxSkew, 'must be greater than zero'));
    if (isBlank(constraint.topologyKey)) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
  });
  return errors;
}

/** Errors of a pod template whose pods always run, at its path. */
export function templateErrors(template: unknown, path: string, matches: boolean): FieldError[] {
  if (!isObject(template)) return [];
  const metadata = objectAt(template, 'metadata');
  const labels = metadata?.labels;
  const errors: FieldError[] = [];
  if (!matches)
    errors.push(
      invalid(`${path}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`'),
    );
  errors.push(
    ...labelErrors(labels, `${path}.labels`),
    ...Object.keys(objectAt(metadata, 'annotations') ?? {}).flatMap((key) =>
      qualifiedNameProblems(key.toLowerCase()).map((problem) => invalid(`${path}.annotations`, key, problem)),
    ),
    ...podSpecErrors(template.spec, `${path}.spec`),
  );
  const restart = textAt(template.spec, 'restartPolicy');
  if (restart !== '' && restartPolicies.includes(restart) && restart !== 'Always')
    errors.push(notSupported(`${path}.spec.restartPolicy`, restart, ['Always']));
  return errors;
}

const changeable = new Set([
  'activeDeadlineSeconds',
  'tolerations',
  'ephemeralContainers',
  'schedulingGates',
  'nodeName',
]);

function comparableSpec(spec: JsonObject): JsonObject {
  const plain = Object.fromEntries(Object.entries(spec).filter(([name]) => !changeable.has(name)));
  for (const list of ['containers', 'initContainers'])
    if (Array.isArray(spec[list]))
      plain[list] = objectsAt(spec, list).map(({ image: _, ...container }) => container);
  return plain;
}

/** The deadline of a pod may come and become shorter, and not go or become longer. */
function deadlineChangeErrors(after: unknown, before: unknown): FieldError[] {
  const path = 'spec.activeDeadlineSeconds';
  if (typeof before !== 'number') return [];
  if (typeof after !== 'number')
    return [invalid(path, null, 'must not update from a positive integer to nil value')];
  return after > before ? [invalid(path, after, 'must be less than or equal to previous value')] : [];
}

function keepsTolerations(after: readonly JsonObject[], before: readonly JsonObject[]): boolean {
  const plain = ({ tolerationSeconds: _, ...rest }: JsonObject) => rest;
  return before.every((old) => after.some((one) => deepEqual(plain(one), plain(old))));
}

/** Errors of a pod, and of a change that a running pod cannot take. */
export function podErrors(object: JsonObject, old: unknown): FieldError[] {
  const spec = objectAt(object, 'spec');
  const errors = podSpecErrors(spec, 'spec');
  const before = objectAt(old, 'spec');
  if (spec === undefined || before === undefined) return errors;
  for (const list of ['containers', 'initContainers'])
    if (objectsAt(spec, list).length !== objectsAt(before, list).length)
      return [...errors, forbidden(`spec.${list}`, 'pod updates may not add or remove containers')];
  const deadline = deadlineChangeErrors(spec.activeDeadlineSeconds, before.activeDeadlineSeconds);
  errors.push(...deadline);
  // A deadline that may not be is the last thing that is said; one that went is not.
  if (deadline.length > 0 && typeof spec.activeDeadlineSeconds === 'number') return errors;
  if (!keepsTolerations(objectsAt(spec, 'tolerations'), objectsAt(before, 'tolerations')))
    errors.push(
      forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
    );
  if (!deepEqual(comparableSpec(spec), comparableSpec(before)))
    errors.push(
      forbidden(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ),
    );
  return errors;
}

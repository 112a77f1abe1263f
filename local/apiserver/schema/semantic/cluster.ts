/** Checks of configuration, access, quotas, leases, budgets, storage and events. */
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
import { parseQuantity } from '../quantity.ts';
import {
  countOrPercentErrors,
  isBlank,
  nonNegative,
  qualifiedNameProblems,
  selectorErrors,
} from './names.ts';

const keyText =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

function keyErrors(data: unknown, field: string): FieldError[] {
  return Object.keys(isObject(data) ? data : {}).flatMap((key) => {
    const at = `${field}[${key}]`;
    if (key.length > 253) return [invalid(at, key, 'must be no more than 253 bytes')];
    if (!/^[-._a-zA-Z0-9]+$/.test(key)) return [invalid(at, key, keyText)];
    if (key === '.' || key === '..') return [invalid(at, key, `must not be '${key}'`)];
    return key.startsWith('..') ? [invalid(at, key, "must not start with '..'")] : [];
  });
}

const maxDataBytes = 1_048_576;

function immutableErrors(object: JsonObject, old: unknown, fields: string[]): FieldError[] {
  if (!isObject(old) || old.immutable !== true) return [];
  const text = 'field is immutable when `immutable` is set';
  return [
    ...(object.immutable === true ? [] : [forbidden('immutable', text)]),
    ...fields
      .filter((field) => !deepEqual(object[field] ?? {}, old[field] ?? {}))
      .map((field) => forbidden(field, text)),
  ];
}

function configMapErrors(object: JsonObject, old: unknown): FieldError[] {
  const [data, binary] = [objectAt(object, 'data') ?? {}, objectAt(object, 'binaryData') ?? {}];
  const errors = [
    ...keyErrors(data, 'data'),
    ...Object.keys(data)
      .filter((key) => Object.hasOwn(binary, key))
      .map((key) => invalid(`data[${key}]`, key, 'duplicate of key present in binaryData')),
    ...keyErrors(binary, 'binaryData'),
  ];
  const bytes = [...Object.values(data), ...Object.values(binary)].reduce(
    (sum: number, value) => sum + Buffer.byteLength(String(value)),
    0,
  );
  if (bytes > maxDataBytes)
    errors.push({
      reason: 'FieldValueTooLong',
      field: '<nil>',
      body: `Too long: may not be more than ${maxDataBytes} bytes`,
    });
  return [...errors, ...immutableErrors(object, old, ['data', 'binaryData'])];
}

const secretKeys: Record<string, string[]> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

function secretErrors(object: JsonObject, old: unknown): FieldError[] {
  const data = objectAt(object, 'data') ?? {};
  const type = textAt(object, 'type');
  const errors = keyErrors(data, 'data');
  for (const key of secretKeys[type] ?? [])
    if (!Object.hasOwn(data, key)) errors.push(required(`data[${key}]`));
  if (
    type === 'kubernetes.io/basic-auth' &&
    !['username', 'password'].some((key) => Object.hasOwn(data, key))
  )
    errors.push(required('data[username]'), required('data[password]'));
  if (
    type === 'kubernetes.io/service-account-token' &&
    isBlank(objectAt(objectAt(object, 'metadata'), 'annotations')?.['kubernetes.io/service-account.name'])
  )
    errors.push(required('metadata.annotations[kubernetes.io/service-account.name]'));
  if (isObject(old) && textAt(old, 'type') !== '' && old.type !== type)
    errors.push(invalid('type', type, 'field is immutable'));
  return [...errors, ...immutableErrors(object, old, ['data'])];
}

function budgetErrors(spec: JsonObject): FieldError[] {
  const { minAvailable, maxUnavailable } = spec;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.push(
      invalid(
        'spec',
        {
          MinAvailable: minAvailable,
          Selector: spec.selector ?? null,
          MaxUnavailable: maxUnavailable,
          UnhealthyPodEvictionPolicy: spec.unhealthyPodEvictionPolicy ?? null,
        },
        'minAvailable and maxUnavailable cannot be both set',
      ),
    );
  return [
    ...errors,
    ...countOrPercentErrors(minAvailable, 'spec.minAvailable'),
    ...countOrPercentErrors(maxUnavailable, 'spec.maxUnavailable'),
    ...selectorErrors(spec.selector, 'spec.selector'),
  ];
}

function claimErrors(spec: JsonObject, before: JsonObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const modes = Array.isArray(spec.accessModes) ? (spec.accessModes as unknown[]) : [];
  const known = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
  if (modes.length === 0) errors.push(required('spec.accessModes', 'at least 1 access mode is required'));
  for (const mode of modes)
    if (!known.includes(String(mode))) errors.push(notSupported('spec.accessModes', mode, known));
  const storage = objectAt(objectAt(spec, 'resources'), 'requests')?.storage;
  if (storage === undefined) errors.push(required('spec.resources[storage]'));
  else if ((parseQuantity(String(storage))?.nanos ?? 1n) <= 0n)
    errors.push(invalid('spec.resources[storage]', String(storage), 'must be greater than zero'));
  const rest = (value: JsonObject) => {
    const { resources: _, volumeName, volumeAttributesClassName: __, storageClassName, ...others } = value;
    return { ...others, ...(isBlank(before?.volumeName) ? {} : { volumeName }), storageClassName };
  };
  if (before !== undefined && !deepEqual(rest(spec), rest(before)))
    errors.push(
      forbidden(
        'spec',
        'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      ),
    );
  return errors;
}

function ruleErrors(object: JsonObject, namespaced: boolean): FieldError[] {
  const list = (rule: JsonObject, name: string) =>
    Array.isArray(rule[name]) ? (rule[name] as unknown[]) : [];
  return objectsAt(object, 'rules').flatMap((rule, index) => {
    const at = `rules[${index}]`;
    const urls = list(rule, 'nonResourceURLs');
    const mixed = ['apiGroups', 'resources', 'resourceNames'].some((name) => list(rule, name).length > 0);
    const errors: FieldError[] = [];
    if (list(rule, 'verbs').length === 0)
      errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'));
    if (urls.length > 0) {
      if (namespaced)
        errors.push(
          invalid(`${at}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs'),
        );
      if (mixed)
        errors.push(
          invalid(
            `${at}.nonResourceURLs`,
            urls,
            'rules cannot apply to both regular resources and non-resource URLs',
          ),
        );
      return errors;
    }
    if (list(rule, 'apiGroups').length === 0)
      errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
    if (list(rule, 'resources').length === 0)
      errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
    return errors;
  });
}

function bindingErrors(object: JsonObject, old: unknown, kinds: string[]): FieldError[] {
  const errors: FieldError[] = [];
  const role = objectAt(object, 'roleRef') ?? {};
  if (isObject(old) && !deepEqual(old.roleRef, object.roleRef))
    errors.push(invalid('roleRef', object.roleRef, 'cannot change roleRef'));
  if (!kinds.includes(textAt(role, 'kind')))
    errors.push(notSupported('roleRef.kind', textAt(role, 'kind'), kinds));
  if (isBlank(role.name)) errors.push(required('roleRef.name'));
  objectsAt(object, 'subjects').forEach((subject, index) => {
    if (isBlank(subject.name)) errors.push(required(`subjects[${index}].name`));
    const known = ['ServiceAccount', 'User', 'Group'];
    if (!known.includes(textAt(subject, 'kind')))
      errors.push(notSupported(`subjects[${index}].kind`, textAt(subject, 'kind'), known));
  });
  return errors;
}

function leaseErrors(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const duration = spec.leaseDurationSeconds;
  if (typeof duration === 'number' && duration <= 0)
    errors.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  return [...errors, ...nonNegative(spec.leaseTransitions, 'spec.leaseTransitions')];
}

function quotaErrors(spec: JsonObject): FieldError[] {
  return Object.entries(objectAt(spec, 'hard') ?? {}).flatMap(([name, value]) => [
    ...qualifiedNameProblems(name).map((problem) => invalid(`spec.hard[${name}]`, name, problem)),
    ...((parseQuantity(String(value))?.nanos ?? 0n) < 0n
      ? [invalid(`spec.hard[${name}]`, String(value), 'must be greater than or equal to 0')]
      : []),
  ]);
}

function limitRangeErrors(spec: JsonObject): FieldError[] {
  const types = new Set<string>();
  return objectsAt(spec, 'limits').flatMap((item, index) => {
    const at = `spec.limits[${index}]`;
    const type = textAt(item, 'type');
    const errors: FieldError[] = [];
    if (!['Container', 'Pod', 'PersistentVolumeClaim'].includes(type) && !type.includes('/'))
      errors.push(invalid(`${at}.type`, type, 'must be a standard limit type or fully qualified'));
    if (types.has(type)) errors.push(duplicate(`${at}.type`, type));
    types.add(type);
    const max = objectAt(item, 'max') ?? {};
    for (const [name, value] of Object.entries(objectAt(item, 'min') ?? {})) {
      const [low, high] = [parseQuantity(String(value)), parseQuantity(String(max[name] ?? ''))];
      if (low !== undefined && high !== undefined && low.nanos > high.nanos)
        errors.push(
          invalid(
            `${at}.min[${name}]`,
            String(value),
            `min value ${String(value)} is greater than max value ${String(max[name])}`,
          ),
        );
    }
    return errors;
  });
}

function priorityErrors(object: JsonObject, old: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const name = textAt(objectAt(object, 'metadata'), 'name');
  if (typeof object.value === 'number' && object.value > 1_000_000_000 && !name.startsWith('system-'))
    errors.push(forbidden('value', 'maximum allowed value of a user defined priority is 1000000000'));
  if (isObject(old)) {
    if (old.value !== object.value) errors.push(forbidden('value', 'may not be changed in an update.'));
    if ((old.preemptionPolicy ?? '') !== (object.preemptionPolicy ?? ''))
      errors.push(invalid('preemptionPolicy', object.preemptionPolicy, 'field is immutable'));
  }
  return errors;
}

/** Errors of a kind of the cluster; undefined for other kinds. */
export function clusterErrors(kind: string, object: JsonObject, old: unknown): FieldError[] | undefined {
  const spec = objectAt(object, 'spec') ?? {};
  switch (kind) {
    case 'ConfigMap':
      return configMapErrors(object, old);
    case 'Secret':
      return secretErrors(object, old);
    case 'PodDisruptionBudget':
      return budgetErrors(spec);
    case 'PersistentVolumeClaim':
      return claimErrors(spec, objectAt(old, 'spec'));
    case 'Role':
      return ruleErrors(object, true);
    case 'ClusterRole':
      return ruleErrors(object, false);
    case 'RoleBinding':
      return bindingErrors(object, old, ['Role', 'ClusterRole']);
    case 'ClusterRoleBinding':
      return bindingErrors(object, old, ['ClusterRole']);
    case 'Lease':
      return leaseErrors(spec);
    case 'ResourceQuota':
      return quotaErrors(spec);
    case 'LimitRange':
      return limitRangeErrors(spec);
    case 'PriorityClass':
      return priorityErrors(object, old);
    case 'StorageClass':
      return isBlank(object.provisioner) ? [required('provisioner')] : [];
    case 'Event': {
      const involved = textAt(objectAt(object, 'involvedObject'), 'namespace');
      const own = textAt(objectAt(object, 'metadata'), 'namespace');
      return involved !== '' && own !== '' && involved !== own
        ? [invalid('involvedObject.namespace', involved, 'does not match event.namespace')]
        : [];
    }
    default:
      return undefined;
  }
}

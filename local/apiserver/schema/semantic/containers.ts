/** Checks of containers. */
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
} from '../../../../crds/structural/field-error.ts';
import type { JsonObject } from '../../../../crds/structural/schema-node.ts';
import { objectAt, objectsAt, textAt } from '../defaults/access.ts';
import { parseQuantity } from '../quantity.ts';
import {
  isBlank,
  labelProblems,
  nonNegative,
  portErrors,
  portNameProblems,
  portOrNameErrors,
  qualifiedNameProblems,
} from './names.ts';

const sources = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'];
const podFields =
  /^(metadata\.(name|namespace|uid|labels|annotations)|metadata\.(labels|annotations)\['[^']+'\]|spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))$/;

function envErrors(container: JsonObject, path: string): FieldError[] {
  return objectsAt(container, 'env').flatMap((variable, index) => {
    const at = `${path}.env[${index}]`;
    const errors: FieldError[] = [];
    const name = textAt(variable, 'name');
    if (name === '') errors.push(required(`${at}.name`));
    else if (!/^[ -<>-~]+$/.test(name))
      errors.push(
        invalid(
          `${at}.name`,
          name,
          "a valid environment variable name must consist only of printable ASCII characters other than '='",
        ),
      );
    const from = objectAt(variable, 'valueFrom');
    if (from === undefined) return errors;
    const given = sources.filter((source) => objectAt(from, source) !== undefined);
    const field = objectAt(from, 'fieldRef');
    if (field !== undefined) {
      const fieldPath = textAt(field, 'fieldPath');
      if (fieldPath === '') errors.push(required(`${at}.valueFrom.fieldRef.fieldPath`));
      else if (!podFields.test(fieldPath))
        errors.push(
          invalid(
            `${at}.valueFrom.fieldRef.fieldPath`,
            fieldPath,
            `error converting fieldPath: field label not supported: ${fieldPath}`,
          ),
        );
    }
    for (const source of ['configMapKeyRef', 'secretKeyRef']) {
      const reference = objectAt(from, source);
      if (reference !== undefined && isBlank(reference.name))
        errors.push(required(`${at}.valueFrom.${source}.name`));
    }
    if (given.length === 0)
      errors.push(
        invalid(
          `${at}.valueFrom`,
          '',
          'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
        ),
      );
    else if (!isBlank(variable.value))
      errors.push(invalid(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty'));
    if (given.length > 1)
      errors.push(invalid(`${at}.valueFrom`, '', 'may not have more than one field specified at a time'));
    return errors;
  });
}

function portsErrors(container: JsonObject, path: string): FieldError[] {
  const names = new Set<string>();
  return objectsAt(container, 'ports').flatMap((port, index) => {
    const at = `${path}.ports[${index}]`;
    const errors: FieldError[] = [];
    const name = textAt(port, 'name');
    if (name !== '') {
      const problems = portNameProblems(name);
      errors.push(...problems.map((problem) => invalid(`${at}.name`, name, problem)));
      if (problems.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (port.containerPort === 0) errors.push(required(`${at}.containerPort`));
    else if (port.containerPort !== undefined)
      errors.push(...portErrors(port.containerPort, `${at}.containerPort`));
    if (port.hostPort !== undefined && port.hostPort !== 0)
      errors.push(...portErrors(port.hostPort, `${at}.hostPort`));
    return errors;
  });
}

function mountErrors(container: JsonObject, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const paths = new Set<string>();
  return objectsAt(container, 'volumeMounts').flatMap((mount, index) => {
    const at = `${path}.volumeMounts[${index}]`;
    const errors: FieldError[] = [];
    const [name, mountPath] = [textAt(mount, 'name'), textAt(mount, 'mountPath')];
    if (name === '') errors.push(required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (mountPath === '') errors.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    const subPath = textAt(mount, 'subPath');
    if (subPath.startsWith('/')) errors.push(invalid(`${at}.subPath`, subPath, 'must be a relative path'));
    if (subPath.split('/').includes('..'))
      errors.push(invalid(`${at}.subPath`, subPath, "must not contain '..'"));
    return errors;
  });
}

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const isStandard = (name: string) => containerResources.has(name) || name.startsWith('hugepages-');
/** A resource of a device plugin: counted, and not shared. */
const isExtended = (name: string) => name.includes('/') && !/(^|\.|\/)kubernetes\.io\//.test(name);

function resourceNameProblems(name: string): string[] {
  const problems = qualifiedNameProblems(name);
  if (name.includes('/'))
    return name.startsWith('requests.')
      ? [...problems, "doesn't follow extended resource name standard"]
      : problems;
  if (isStandard(name)) return problems;
  const known = problems.length > 0 || otherResources.has(name);
  return [
    ...problems,
    ...(known ? [] : ['must be a standard resource type or fully qualified']),
    'must be a standard resource for containers',
  ];
}

/** Names that Kubernetes itself counts, elsewhere than in containers. */
const otherResources = new Set('storage pods services secrets configmaps persistentvolumeclaims'.split(' '));

function resourceErrors(owner: JsonObject, path: string): FieldError[] {
  const resources = objectAt(owner, 'resources');
  const [limits, requests] = [objectAt(resources, 'limits') ?? {}, objectAt(resources, 'requests') ?? {}];
  const errors: FieldError[] = [];
  const check = (list: JsonObject, name: string) => {
    for (const [resource, value] of Object.entries(list)) {
      const at = `${path}.resources.${name}`;
      errors.push(...resourceNameProblems(resource).map((p) => invalid(`${at}[${resource}]`, resource, p)));
      const quantity = parseQuantity(String(value));
      if (quantity !== undefined && isExtended(resource) && quantity.nanos % 1_000_000_000n !== 0n)
        errors.push(invalid(`${at}[${resource}]`, String(value), 'must be an integer'));
      if (quantity !== undefined && quantity.nanos < 0n)
        errors.push(invalid(`${at}[${resource}]`, String(value), 'must be greater than or equal to 0'));
    }
  };
  check(limits, 'limits');
  check(requests, 'requests');
  for (const [resource, value] of Object.entries(requests)) {
    if (isExtended(resource) && limits[resource] === undefined) {
      const why = 'Limit must be set for non overcommitable resources';
      errors.push(required(`${path}.resources.limits`, why));
    }
    const [limit, request] = [parseQuantity(String(limits[resource] ?? '')), parseQuantity(String(value))];
    if (limit === undefined || request === undefined) continue;
    if (isExtended(resource) && request.nanos !== limit.nanos)
      errors.push(
        invalid(
          `${path}.resources.requests`,
          String(value),
          `must be equal to ${resource} limit of ${String(limits[resource])}`,
        ),
      );
    else if (request.nanos > limit.nanos)
      errors.push(
        invalid(
          `${path}.resources.requests`,
          String(value),
          `must be less than or equal to ${resource} limit of ${String(limits[resource])}`,
        ),
      );
  }
  return errors;
}

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'];

function handlerErrors(handler: JsonObject, path: string): FieldError[] {
  const given = handlers.filter((name) => objectAt(handler, name) !== undefined);
  if (given.length === 0) return [required(path, 'must specify a handler type')];
  const errors: FieldError[] = given
    .slice(1)
    .map((name) => forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'));
  const http = objectAt(handler, 'httpGet');
  if (http !== undefined) {
    if (isBlank(http.path)) errors.push(required(`${path}.httpGet.path`));
    errors.push(...portOrNameErrors(http.port, `${path}.httpGet.port`));
  }
  const tcp = objectAt(handler, 'tcpSocket');
  if (tcp !== undefined) errors.push(...portOrNameErrors(tcp.port, `${path}.tcpSocket.port`));
  const grpc = objectAt(handler, 'grpc');
  if (grpc !== undefined) errors.push(...portErrors(grpc.port, `${path}.grpc.port`));
  const exec = objectAt(handler, 'exec');
  if (exec !== undefined && (!Array.isArray(exec.command) || exec.command.length === 0))
    errors.push(required(`${path}.exec.command`));
  return errors;
}

function probeErrors(container: JsonObject, path: string): FieldError[] {
  return ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) => {
    const probe = objectAt(container, name);
    if (probe === undefined) return [];
    const at = `${path}.${name}`;
    const errors = handlerErrors(probe, at);
    for (const field of [
      'initialDelaySeconds',
      'timeoutSeconds',
      'periodSeconds',
      'successThreshold',
      'failureThreshold',
    ])
      errors.push(...nonNegative(probe[field], `${at}.${field}`));
    if (
      name !== 'readinessProbe' &&
      typeof probe.successThreshold === 'number' &&
      probe.successThreshold !== 1
    )
      errors.push(invalid(`${at}.successThreshold`, probe.successThreshold, 'must be 1'));
    const grace = probe.terminationGracePeriodSeconds;
    if (typeof grace === 'number' && grace <= 0)
      errors.push(invalid(`${at}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
    return errors;
  });
}

const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['File', 'FallbackToLogsOnError'];

/** Errors of one container. */
export function containerErrors(
  container: JsonObject,
  path: string,
  volumes: ReadonlySet<string>,
  names: Set<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  const [name, image] = [textAt(container, 'name'), textAt(container, 'image')];
  if (name === '') errors.push(required(`${path}.name`));
  else errors.push(...labelProblems(name).map((problem) => invalid(`${path}.name`, name, problem)));
  if (names.has(name) && name !== '') errors.push(duplicate(`${path}.name`, name));
  names.add(name);
  if (image === '') errors.push(required(`${path}.image`));
  else if (image.trim() !== image)
    errors.push(invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  const policy = textAt(container, 'imagePullPolicy');
  if (policy !== '' && !pullPolicies.includes(policy))
    errors.push(notSupported(`${path}.imagePullPolicy`, policy, pullPolicies));
  const message = textAt(container, 'terminationMessagePolicy');
  if (message !== '' && !messagePolicies.includes(message))
    errors.push(notSupported(`${path}.terminationMessagePolicy`, message, messagePolicies));
  errors.push(
    ...probeErrors(container, path),
    ...portsErrors(container, path),
    ...envErrors(container, path),
    ...mountErrors(container, path, volumes),
    ...resourceErrors(container, path),
  );
  const lifecycle = objectAt(container, 'lifecycle');
  for (const hook of ['postStart', 'preStop']) {
    const handler = objectAt(lifecycle, hook);
    if (handler !== undefined) errors.push(...handlerErrors(handler, `${path}.lifecycle.${hook}`));
  }
  return errors;
}

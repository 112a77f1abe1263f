/** Environment of a container: `valueFrom`, `envFrom` and `$(VAR)` as Kubernetes has them. Pure. */
import type { ConfigMap, Container, EnvVar, Pod } from '../../kube/objects.ts';
import type { Secret } from '../controllers/kinds.ts';
import { fieldValue, resourceValue } from './downward.ts';

/** What the environment of a container is made from. */
export interface EnvSources {
  readonly pod: Pod;
  readonly podIP: string;
  readonly hostIP: string;
  /** Allocatable of the node: what an absent limit means. */
  readonly allocatable: Readonly<Record<string, string>>;
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

/** The container cannot be made from its spec as things stand: waiting reason CreateContainerConfigError. */
export class ContainerConfigError extends Error {}

interface EnvFrom {
  prefix?: string;
  configMapRef?: { name: string; optional?: boolean };
  secretRef?: { name: string; optional?: boolean };
}

/** Expands `$(NAME)`; `$$` stands for one `$`, and a name that is not known stays as written. */
export function expand(text: string, values: ReadonlyMap<string, string>): string {
  let result = '';
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    const next = text[index + 1];
    if (char !== '$' || next === undefined) result += char;
    else if (next === '$') {
      result += '$';
      index++;
    } else if (next === '(') {
      const end = text.indexOf(')', index);
      if (end < 0) result += char;
      else {
        const name = text.slice(index + 2, end);
        result += values.get(name) ?? `$(${name})`;
        index = end;
      }
    } else result += char;
  }
  return result;
}

/** Values of a Secret, decoded. */
function secretText(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

/** The container's variables in order, expanded. */
export function containerEnv(container: Container, sources: EnvSources): Map<string, string> {
  const values = new Map<string, string>();
  for (const from of (container as { envFrom?: EnvFrom[] }).envFrom ?? [])
    for (const [name, value] of allOf(from, sources)) values.set((from.prefix ?? '') + name, value);
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? '', values)
        : valueFrom(variable, container, sources);
    if (value !== undefined) values.set(variable.name, value);
  }
  return values;
}

function allOf(from: EnvFrom, sources: EnvSources): [string, string][] {
  if (from.configMapRef !== undefined) {
    const found = sources.configMap(from.configMapRef.name);
    if (found !== undefined) return Object.entries(found.data ?? {});
    if (from.configMapRef.optional !== true)
      throw new ContainerConfigError(`configmap "${from.configMapRef.name}" not found`);
  }
  if (from.secretRef !== undefined) {
    const found = sources.secret(from.secretRef.name);
    if (found !== undefined)
      return Object.keys(found.data ?? {}).map((key) => [key, secretText(found, key) ?? '']);
    if (from.secretRef.optional !== true)
      throw new ContainerConfigError(`secret "${from.secretRef.name}" not found`);
  }
  return [];
}

function valueFrom(variable: EnvVar, container: Container, sources: EnvSources): string | undefined {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  if (fieldRef !== undefined) {
    const value = fieldValue(fieldRef.fieldPath, sources);
    if (value === undefined) throw new ContainerConfigError(`unsupported fieldPath: ${fieldRef.fieldPath}`);
    return value;
  }
  if (resourceFieldRef !== undefined) {
    const value = resourceValue(resourceFieldRef, container, sources);
    if (value === undefined)
      throw new ContainerConfigError(`unsupported container resource: ${resourceFieldRef.resource}`);
    return value;
  }
  if (configMapKeyRef !== undefined) {
    const { name, key, optional } = configMapKeyRef;
    const map = sources.configMap(name);
    const value = map?.data?.[key];
    if (value !== undefined || optional === true) return value;
    throw new ContainerConfigError(
      map === undefined
        ? `configmap "${name}" not found`
        : `couldn't find key ${key} in ConfigMap ${sources.pod.metadata.namespace}/${name}`,
    );
  }
  if (secretKeyRef !== undefined) {
    const { name, key, optional } = secretKeyRef;
    const secret = sources.secret(name);
    const value = secret === undefined ? undefined : secretText(secret, key);
    if (value !== undefined || optional === true) return value;
    throw new ContainerConfigError(
      secret === undefined
        ? `secret "${name}" not found`
        : `couldn't find key ${key} in Secret ${sources.pod.metadata.namespace}/${name}`,
    );
  }
  throw new ContainerConfigError(`env ${variable.name}: valueFrom names no source that is supported`);
}

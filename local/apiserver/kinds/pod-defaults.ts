/** Defaults of pod specs, as the real API server fills them in for pods and pod templates. */
import { type Json, jsonAt, listAt } from '../object.ts';

const objects = (list: unknown[]): Json[] =>
  list.filter((item): item is Json => typeof item === 'object' && item !== null);

/** Sets a field that is absent. */
export function setDefault(target: Json, field: string, value: unknown): void {
  if (target[field] === undefined || target[field] === null) target[field] = value;
}

function pullPolicy(image: unknown): string {
  const text = typeof image === 'string' ? image : '';
  if (text.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(text)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function probeDefaults(probe: unknown): void {
  if (typeof probe !== 'object' || probe === null) return;
  const draft = probe as Json;
  setDefault(draft, 'timeoutSeconds', 1);
  setDefault(draft, 'periodSeconds', 10);
  setDefault(draft, 'successThreshold', 1);
  setDefault(draft, 'failureThreshold', 3);
  httpDefaults(draft.httpGet);
}

function httpDefaults(action: unknown): void {
  if (typeof action !== 'object' || action === null) return;
  setDefault(action as Json, 'path', '/');
  setDefault(action as Json, 'scheme', 'HTTP');
}

function containerDefaults(container: Json): void {
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  setDefault(container, 'imagePullPolicy', pullPolicy(container.image));
  setDefault(container, 'resources', {});
  const resources = jsonAt(container, 'resources');
  if (resources.limits !== undefined) {
    const requests = { ...jsonAt(resources, 'limits'), ...jsonAt(resources, 'requests') };
    if (Object.keys(requests).length > 0) resources.requests = requests;
  }
  for (const port of objects(listAt(container, 'ports'))) setDefault(port, 'protocol', 'TCP');
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) probeDefaults(container[probe]);
  for (const hook of ['postStart', 'preStop'])
    httpDefaults(jsonAt(jsonAt(container, 'lifecycle'), hook).httpGet);
  for (const variable of objects(listAt(container, 'env'))) {
    const field = jsonAt(variable, 'valueFrom').fieldRef;
    if (typeof field === 'object' && field !== null) setDefault(field as Json, 'apiVersion', 'v1');
    const resource = jsonAt(variable, 'valueFrom').resourceFieldRef;
    if (typeof resource === 'object' && resource !== null) setDefault(resource as Json, 'divisor', '0');
  }
}

function downwardDefaults(items: unknown[]): void {
  for (const item of objects(items)) {
    const field = item.fieldRef;
    if (typeof field === 'object' && field !== null) setDefault(field as Json, 'apiVersion', 'v1');
  }
}

function volumeDefaults(volume: Json): void {
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  if (sources.length === 0) volume.emptyDir = {};
  for (const source of ['configMap', 'secret', 'downwardAPI', 'projected']) {
    const value = volume[source];
    if (typeof value === 'object' && value !== null) setDefault(value as Json, 'defaultMode', 420);
  }
  downwardDefaults(listAt(volume.downwardAPI, 'items'));
  for (const source of objects(listAt(volume.projected, 'sources'))) {
    downwardDefaults(listAt(source.downwardAPI, 'items'));
    const token = source.serviceAccountToken;
    if (typeof token === 'object' && token !== null) setDefault(token as Json, 'expirationSeconds', 3600);
  }
  const hostPath = volume.hostPath;
  if (typeof hostPath === 'object' && hostPath !== null) setDefault(hostPath as Json, 'type', '');
}

/** Defaults of a pod's spec or of a template's. */
export function podSpecDefaults(spec: Json): void {
  setDefault(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'securityContext', {});
  setDefault(spec, 'schedulerName', 'default-scheduler');
  if (typeof spec.serviceAccountName === 'string' && spec.serviceAccountName !== '')
    setDefault(spec, 'serviceAccount', spec.serviceAccountName);
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'])
    for (const container of objects(listAt(spec, list))) containerDefaults(container);
  for (const volume of objects(listAt(spec, 'volumes'))) volumeDefaults(volume);
}

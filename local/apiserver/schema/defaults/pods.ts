/** Defaults of pods that depend on other fields. Works in place. */
import type { JsonObject } from '../../../../crds/structural/schema-node.ts';
import { ensureObject, objectAt, objectsAt, setDefault, setDefaultText, textAt } from './access.ts';

function tagOf(image: string): string {
  const withoutDigest = image.split('@')[0] ?? '';
  if (image.includes('@') && !/:[^/]*$/.test(withoutDigest)) return '';
  return /:([^/:]*)$/.exec(withoutDigest)?.[1] ?? 'latest';
}

function defaultContainer(container: JsonObject): void {
  setDefaultText(
    container,
    'imagePullPolicy',
    tagOf(textAt(container, 'image')) === 'latest' ? 'Always' : 'IfNotPresent',
  );
  setDefaultText(container, 'terminationMessagePath', '/dev/termination-log');
  setDefaultText(container, 'terminationMessagePolicy', 'File');
}

/** Requests that are absent become the limits; only pods themselves get this, templates do not. */
function defaultRequests(container: JsonObject): void {
  const limits = objectAt(objectAt(container, 'resources'), 'limits');
  if (limits === undefined) return;
  const requests = ensureObject(ensureObject(container, 'resources'), 'requests');
  for (const [name, value] of Object.entries(limits)) setDefault(requests, name, value);
}

const sources = (volume: JsonObject) => Object.keys(volume).filter((name) => name !== 'name');

function containersOf(spec: JsonObject): JsonObject[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((name) => objectsAt(spec, name));
}

/** Defaults of a pod's spec, in pods and in templates. */
function defaultPodSpec(spec: JsonObject): void {
  setDefaultText(spec, 'dnsPolicy', 'ClusterFirst');
  setDefaultText(spec, 'restartPolicy', 'Always');
  setDefaultText(spec, 'schedulerName', 'default-scheduler');
  for (const container of containersOf(spec)) defaultContainer(container);
  if (spec.hostNetwork === true)
    for (const port of ['initContainers', 'containers'].flatMap((name) =>
      objectsAt(spec, name).flatMap((container) => objectsAt(container, 'ports')),
    ))
      setDefault(port, 'hostPort', port.containerPort);
  for (const volume of objectsAt(spec, 'volumes')) if (sources(volume).length === 0) volume.emptyDir = {};
  const account = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount');
  if (account !== '') {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
}

/** Defaults of a pod. */
export function defaultPod(pod: JsonObject): void {
  defaultPodStatus(objectAt(pod, 'status'));
  const spec = objectAt(pod, 'spec');
  if (spec === undefined) return;
  defaultPodSpec(spec);
  setDefault(spec, 'enableServiceLinks', true);
  for (const container of [...objectsAt(spec, 'initContainers'), ...objectsAt(spec, 'containers')])
    defaultRequests(container);
}

function defaultPodStatus(status: JsonObject | undefined): void {
  if (status === undefined) return;
  // A condition's times are written even where there are none.
  for (const condition of objectsAt(status, 'conditions')) {
    condition.lastProbeTime ??= null;
    condition.lastTransitionTime ??= null;
  }
}

/** Defaults of the pod template below `spec.template`. */
export function defaultTemplate(object: JsonObject): void {
  const template = objectAt(objectAt(object, 'spec'), 'template');
  const spec = objectAt(template, 'spec');
  if (spec !== undefined) defaultPodSpec(spec);
}

/** Keys and values that Kubernetes checks only when it is given the pods: labels, selectors, annotations, resource names. */
import type { ModelDeploymentSpec } from '../../crds/types.ts';

const namePart = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$/;
const prefixPart = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** `name` or `prefix/name` as Kubernetes wants them. */
function isQualifiedName(text: string): boolean {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length > 1 ? parts.slice(0, -1).join('/') : undefined;
  return (
    name.length <= 63 &&
    namePart.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && prefixPart.test(prefix)))
  );
}

const isLabelValue = (text: string): boolean => text === '' || (text.length <= 63 && namePart.test(text));

const keyForm = 'letters, digits, "-", "_" and ".", at most 63, after an optional DNS name and "/"';
const valueForm = 'at most 63 letters, digits, "-", "_" and ".", starting and ending with a letter or digit';

/** Resources that need no prefix. */
const isStandardResource = (name: string): boolean =>
  ['cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith('hugepages-');

interface Found {
  readonly field: string;
  readonly message: string;
}

/** What the API server would refuse in the pods, with the field of the ModelDeployment that it came from. */
export function keyProblems({ runtime }: ModelDeploymentSpec): Found[] {
  const found: Found[] = [];
  const keys = (field: string, map: Readonly<Record<string, string>> | undefined, areLabels: boolean) => {
    for (const [key, value] of Object.entries(map ?? {})) {
      if (!isQualifiedName(key)) found.push({ field, message: `"${key}" is no key: write ${keyForm}` });
      if (areLabels && !isLabelValue(value))
        found.push({ field, message: `${key} is "${value}", which is no label value: write ${valueForm}` });
    }
  };
  keys('spec.runtime.pod.labels', runtime?.pod?.labels, true);
  keys('spec.runtime.pod.nodeSelector', runtime?.pod?.nodeSelector, true);
  keys('spec.runtime.pod.annotations', runtime?.pod?.annotations, false);
  for (const list of ['requests', 'limits'] as const)
    for (const name of Object.keys(runtime?.resources?.[list] ?? {}))
      if (!isStandardResource(name) && !(name.includes('/') && isQualifiedName(name)))
        found.push({
          field: `spec.runtime.resources.${list}.${name}`,
          message: 'is no resource: use cpu, memory, ephemeral-storage, or a device such as nvidia.com/gpu',
        });
  return found.slice(0, 4);
}

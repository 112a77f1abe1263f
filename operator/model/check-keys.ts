/** What Kubernetes checks only when it is given the pods: labels, selectors, annotations, resource names, tolerations, spread. */
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

type Pod = NonNullable<NonNullable<ModelDeploymentSpec['runtime']>['pod']>;

/** What is wrong with a toleration; undefined where the API server takes it. */
function tolerationProblem({
  key = '',
  operator = 'Equal',
  value = '',
  effect,
  tolerationSeconds,
}: NonNullable<Pod['tolerations']>[number]): string | undefined {
  if (key !== '' && !isQualifiedName(key)) return `"${key}" is no key: write ${keyForm}`;
  if (key === '' && operator === 'Equal')
    return 'without a key it stands for every taint, which is written operator: Exists; or name the key';
  if (operator === 'Exists' && value !== '')
    return 'Exists takes no value: remove value, or write operator: Equal';
  if (!isLabelValue(value)) return `"${value}" is no value of a taint: write ${valueForm}`;
  return tolerationSeconds !== undefined && effect !== 'NoExecute'
    ? 'tolerationSeconds is about NoExecute: write effect: NoExecute, or remove it'
    : undefined;
}

function placeProblems({ tolerations = [], topologySpread = [] }: Pod): Found[] {
  const seen = new Set<string>();
  return [
    ...tolerations.flatMap((toleration, index) => {
      const message = tolerationProblem(toleration);
      return message === undefined ? [] : [{ field: `spec.runtime.pod.tolerations.${index}`, message }];
    }),
    ...topologySpread.flatMap(({ topologyKey, whenUnsatisfiable = 'ScheduleAnyway' }, index) => {
      const field = `spec.runtime.pod.topologySpread.${index}`;
      if (!isQualifiedName(topologyKey))
        return [{ field, message: `"${topologyKey}" is no key: write ${keyForm}` }];
      const both = `${topologyKey} ${whenUnsatisfiable}`;
      if (seen.has(both))
        return [{ field, message: `${topologyKey} is there already with ${whenUnsatisfiable}: remove one` }];
      seen.add(both);
      return [];
    }),
  ];
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
  found.push(...placeProblems(runtime?.pod ?? {}));
  return found.slice(0, 4);
}

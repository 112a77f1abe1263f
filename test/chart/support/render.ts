/** Renders the chart with real helm, without a cluster. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { provideTools, type ToolsVersion } from '../../../local/tools.ts';

export const root = join(import.meta.dirname, '../../..');
export const chart = join(root, 'charts/ballast');
/** Namespace of the release in renderings. */
export const releaseNamespace = 'ballast-system';

/** A rendered or generated object, as far as the checks read it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly [field: string]: unknown;
}

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const tools = {
  '35': await provideTools(join(root, '.ballast')),
  '32': await provideTools(join(root, '.ballast'), '32'),
};

/** No kubeconfig: nothing here may ask a cluster. Without garbage collection: each helm lives for a tenth of a second. */
const env = { PATH: process.env.PATH, HOME: '/nonexistent', GOGC: 'off' };
const done = new Map<string, Run>();

/** Runs helm with these words; `32` is helm 3, `35` is helm 4. The same words give the same answer, so they run once. */
export function helm(words: readonly string[], version: ToolsVersion = '35'): Run {
  const key = [version, ...words].join('\0');
  let run = done.get(key);
  if (run === undefined) {
    const { status, stdout, stderr } = spawnSync(tools[version].helm, words, {
      cwd: root,
      encoding: 'utf8',
      env,
    });
    run = { code: status ?? -1, out: stdout, err: stderr };
    done.set(key, run);
  }
  return run;
}

/** What the Prometheus operator's CRDs serve, which `helm template` does not know of. */
export const withMonitoring = ['--api-versions', 'monitoring.coreos.com/v1'];

/** `helm template` as text. */
export const template = (words: readonly string[] = [], version: ToolsVersion = '35'): Run =>
  helm(['template', 'ballast', chart, '--namespace', releaseNamespace, ...words], version);

/** `helm template` as objects; throws what helm says when it fails. A key that is given twice does not parse. */
export function render(words: readonly string[] = [], version: ToolsVersion = '35'): Manifest[] {
  const { code, out, err } = template(words, version);
  if (code !== 0) throw new Error(err);
  return (loadAll(out) as (Manifest | null)[]).filter((one) => one !== null);
}

/** Values files of `ci/`, by name without `-values.yaml`, each with the words that helm needs for it. */
export const scenarios: readonly { readonly name: string; readonly words: readonly string[] }[] = readdirSync(
  join(chart, 'ci'),
)
  .map((file) => ({
    name: file.replace('-values.yaml', ''),
    words: ['-f', join(chart, 'ci', file), ...withMonitoring],
  }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

/** Objects of one kind. */
export const ofKind = (objects: readonly Manifest[], kind: string): Manifest[] =>
  objects.filter((object) => object.kind === kind);

/** The one object of that kind and name; throws when there is none. */
export function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined)
    throw new Error(
      `no ${kind} ${name} among ${objects.map((o) => `${o.kind} ${o.metadata.name}`).join(', ')}`,
    );
  return found;
}

/** What helm says to these words; `accepted` when it renders. */
export const refusal = (words: readonly string[]) => {
  const { code, err } = template(words);
  return code === 0 ? 'accepted' : err;
};
/** The operator's pod, as far as the tests read it. */
export interface PodTemplate {
  readonly metadata: Manifest['metadata'];
  readonly spec: Record<string, unknown> & {
    readonly containers: readonly [Record<string, unknown> & { readonly args: readonly string[] }];
  };
}
/** The operator's pod of a rendering. */
export const podOf = (objects: readonly Manifest[]) =>
  (find(objects, 'Deployment', 'ballast').spec as { template: PodTemplate }).template;
/** The operator's flags, without dashes, of a rendering with these words. */
export const flagsOf = (words: readonly string[]) =>
  Object.fromEntries(
    podOf(render(words)).spec.containers[0].args.map((one) => one.replace(/^--/, '').split(/=(.*)/s, 2)),
  );

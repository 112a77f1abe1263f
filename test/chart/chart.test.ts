/** The chart as a package: lint, values that are refused, each toggle, what is generated from it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { chartFiles } from '../../scripts/chart.ts';
import { renderInstall } from '../../scripts/chart-install.ts';
import { readChartValues } from '../../scripts/chart-values.ts';
import {
  chart,
  find,
  helm,
  type Manifest,
  ofKind,
  releaseNamespace,
  render,
  root,
  scenarios,
  template,
  withMonitoring,
} from './support/render.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const refusal = (words: string[]) => {
  const { code, err } = template(words);
  return code === 0 ? 'accepted' : err;
};
interface PodTemplate {
  readonly metadata: Manifest['metadata'];
  readonly spec: Record<string, unknown> & {
    readonly containers: readonly [Record<string, unknown> & { readonly args: readonly string[] }];
  };
}
const podOf = (objects: readonly Manifest[]) =>
  (find(objects, 'Deployment', 'ballast').spec as { template: PodTemplate }).template;
const flagsOf = (words: string[]) =>
  Object.fromEntries(
    podOf(render(words)).spec.containers[0].args.map((one) => one.replace(/^--/, '').split(/=(.*)/s, 2)),
  );

describe('the package', () => {
  test.each(['35', '32'] as const)('helm of kubectl %s finds nothing to complain about', (version) => {
    for (const { words } of scenarios) {
      const files = words.slice(0, 2);
      // lint knows no Prometheus operator, so what needs it is left out here.
      const off = ['--set', 'podMonitor.enabled=false', '--set', 'prometheusRule.enabled=false'];
      const { code, out } = helm(['lint', chart, '--strict', ...files, ...off], version);
      expect([code, out]).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
    }
  });
  test('helm 3 and helm 4 render the same', () => {
    for (const { words } of scenarios) expect(template(words, '32').out).toBe(template(words, '35').out);
  });
  test('generated files are fresh', async () => {
    const files = chartFiles(read('crds/generated/modeldeployment.crd.yaml'));
    for (const [path, text] of Object.entries(files))
      expect([path, read(path) === text]).toEqual([path, true]);
    expect(read('dist/install.yaml')).toBe(await renderInstall());
  });
  test('versions and images of Chart.yaml are those of the project and of the values', () => {
    const meta = load(read('charts/ballast/Chart.yaml')) as Record<string, unknown> & {
      annotations: Record<string, string>;
    };
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect([meta.version, meta.appVersion]).toEqual([version, version]);
    const images = load(meta.annotations['artifacthub.io/images'] ?? '') as { image: string }[];
    const { image, args } = podOf(render()).spec.containers[0] as unknown as {
      image: string;
      args: string[];
    };
    expect(images.map((one) => one.image)).toEqual([image, flagsOf([]).image]);
    expect(args.join()).not.toContain('latest');
  });
  test('the example of the CRD passes the CRD', async () => {
    const { manifestProblems } = await import('../../crds/manifest-check.ts');
    const meta = load(read('charts/ballast/Chart.yaml')) as { annotations: Record<string, string> };
    const [example] = load(meta.annotations['artifacthub.io/crdsExamples'] ?? '') as unknown[];
    expect(manifestProblems(example)).toEqual([]);
  });
  test('the CRD of the chart is the generated one, kept on uninstall unless told otherwise', () => {
    const generated = load(read('crds/generated/modeldeployment.crd.yaml')) as Manifest;
    const crd = (words: string[] = []) => ofKind(render(words), 'CustomResourceDefinition');
    expect(crd()).toEqual([{ ...generated, metadata: expect.anything() }]);
    expect(crd()[0]?.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect(crd(['--set', 'crds.keep=false'])[0]?.metadata.annotations).toBeUndefined();
    expect(crd(['--set', 'crds.install=false'])).toEqual([]);
  });
});

describe('values', () => {
  test.each([
    ['replicsa=2', 'replicsa'],
    ['image.tagg=1', 'tagg'],
    ['watch.clusterwide=true', 'clusterwide'],
    ['networkPolicy.apiserverPorts={443}', 'apiserverPorts'],
    ['imagePullSecrets[0].nme=x', 'nme'],
    ['logLevel=loud', 'logLevel'],
    ['replicas=-1', 'replicas'],
    ['workers=0', 'workers'],
    ['qps=fast', 'qps'],
    ['bakeTime=1 minute', 'bakeTime'],
    ['image.digest=sha256:12', 'digest'],
    ['watch.namespaces={Team_A}', 'namespaces'],
    ['image.pullPolicy=Sometimes', 'pullPolicy'],
  ])('%s is refused with its name', (assignment, name) => {
    const text = refusal(['--set', assignment]);
    expect(text).toContain('schema');
    expect(text).toContain(name);
  });
  test('a label that the Deployment selects by cannot be given again', () => {
    expect(refusal(['--set', 'extraLabels.app\\.kubernetes\\.io/name=x'])).toContain(
      "invalid propertyName 'app.kubernetes.io/name'",
    );
  });
  test('every value is in the schema, and closed objects are closed', () => {
    const schema = JSON.parse(read('charts/ballast/values.schema.json')) as Record<string, unknown>;
    const open: string[] = [];
    const paths: string[] = [];
    const walk = (one: Record<string, unknown>, path: string) => {
      if (path !== '') paths.push(path);
      if (one.type === 'object' && one.properties !== undefined && one.additionalProperties !== false)
        open.push(path);
      for (const [key, child] of Object.entries(
        (one.properties ?? {}) as Record<string, Record<string, unknown>>,
      ))
        if (!(path === '' && key === 'global')) walk(child, path === '' ? key : `${path}.${key}`);
    };
    walk(schema, '');
    expect(open).toEqual([]);
    expect(paths.sort()).toEqual(
      readChartValues(read('charts/ballast/values.yaml'))
        .map(({ path }) => path.join('.'))
        .filter((path) => !/^resources\.(requests|limits)\./.test(path))
        .sort(),
    );
  });
  test('a value without a comment, and a comment on nothing, are errors of the generator', () => {
    expect(() => readChartValues('# a\na: 1\nb: 2\n')).toThrow('b has no comment');
    expect(readChartValues('# a\na: 1\n\n# group\nb:\n  # c\n  c: [x]\n')).toEqual([
      { path: ['a'], default: 1, description: 'a', isGroup: false },
      { path: ['b'], default: { c: ['x'] }, description: 'group', isGroup: true },
      { path: ['b', 'c'], default: ['x'], description: 'c', isGroup: false },
    ]);
  });
});

describe('scope', () => {
  const rights = (words: string[]) =>
    ofKind(render(words), 'Role')
      .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'operator')
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  test('the release namespace by default', () => {
    expect(rights([])).toEqual([`${releaseNamespace}/ballast`, `${releaseNamespace}/ballast-leader`]);
    expect(flagsOf([])).toMatchObject({
      'watch-namespaces': releaseNamespace,
      installation: `${releaseNamespace}/ballast`,
      'read-nodes': 'false',
    });
  });
  test('one Role per named namespace, and none in the release namespace but for leadership', () => {
    const words = ['--set', 'watch.namespaces={team-a,team-b,team-a}'];
    expect(rights(words)).toEqual(['team-a/ballast', 'team-b/ballast', `${releaseNamespace}/ballast-leader`]);
    expect(flagsOf(words)['watch-namespaces']).toBe('team-a,team-b');
  });
  test('all namespaces by choice', () => {
    const words = ['--set', 'watch.clusterWide=true'];
    expect(rights(words)).toEqual([`${releaseNamespace}/ballast-leader`]);
    expect(flagsOf(words)['watch-namespaces']).toBe('');
    expect(ofKind(render(words), 'ClusterRoleBinding').map(({ metadata }) => metadata.name)).toEqual([
      `${releaseNamespace}:ballast`,
    ]);
  });
  test('both at once are refused', () => {
    expect(refusal(['--set', 'watch.clusterWide=true', '--set', 'watch.namespaces={a}'])).toContain(
      'watch.namespaces and watch.clusterWide: choose one',
    );
  });
  test('the operator knows every flag that it is given', async () => {
    const { parseConfig } = await import('../../operator/config.ts');
    for (const { words } of scenarios)
      expect(() =>
        parseConfig(
          podOf(render([...words, '--set', 'fullnameOverride=ballast'])).spec.containers[0].args,
          {},
        ),
      ).not.toThrow();
  });
  test('somebody else may give the rights', () => {
    expect(
      render(['--set', 'rbac.create=false']).filter(
        ({ kind, metadata }) => /Role/.test(kind) && !metadata.name.endsWith('-test'),
      ),
    ).toEqual([]);
    const words = ['--set', 'serviceAccount.create=false', '--set', 'serviceAccount.name=mine'];
    expect(podOf(render(words)).spec.serviceAccountName).toBe('mine');
    expect(refusal(['--set', 'serviceAccount.create=false'])).toContain('serviceAccount.name: say which');
  });
});

describe('toggles', () => {
  const kinds = (words: string[]) => [...new Set(render(words).map(({ kind }) => kind))];
  test('one replica has no budget and no spread; two have both', () => {
    expect(kinds([])).not.toContain('PodDisruptionBudget');
    const two = render(['--set', 'replicas=2']);
    expect(find(two, 'PodDisruptionBudget', 'ballast').spec).toMatchObject({ maxUnavailable: 1 });
    expect(podOf(two).spec.topologySpreadConstraints).toHaveLength(2);
    expect(kinds(['--set', 'replicas=2', '--set', 'podDisruptionBudget.enabled=false'])).not.toContain(
      'PodDisruptionBudget',
    );
  });
  test('a NetworkPolicy lets in the ops port and out what the operator calls', () => {
    expect(kinds([])).not.toContain('NetworkPolicy');
    const { spec } = find(
      render(['--set', 'networkPolicy.enabled=true']),
      'NetworkPolicy',
      'ballast',
    ) as unknown as {
      spec: { ingress: unknown[]; egress: { ports: { port: unknown }[] }[] };
    };
    expect(spec.ingress).toEqual([{ ports: [{ port: 'ops', protocol: 'TCP' }] }]);
    expect(spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([
      53,
      53,
      443,
      6443,
      'ops',
    ]);
  });
  test('monitoring needs the Prometheus operator, and says so', () => {
    for (const value of ['podMonitor', 'prometheusRule']) {
      expect(kinds([])).not.toContain(`${value[0]?.toUpperCase()}${value.slice(1)}`);
      expect(refusal(['--set', `${value}.enabled=true`])).toContain(
        `${value}.enabled: this cluster does not serve monitoring.coreos.com/v1; install the CRDs of the Prometheus operator first`,
      );
    }
    const monitors = ofKind(
      render(['--set', 'podMonitor.enabled=true,watch.namespaces={team-a}', ...withMonitoring]),
      'PodMonitor',
    );
    expect(monitors.map(({ spec }) => (spec as { namespaceSelector?: unknown }).namespaceSelector)).toEqual([
      undefined,
      { matchNames: ['team-a'] },
    ]);
  });
  test('images by tag, by digest, from another registry', () => {
    const image = (words: string[]) => (podOf(render(words)).spec.containers[0] as { image?: string }).image;
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(image([])).toBe('docker.io/ballast/operator:0.1.0');
    expect(image(['--set', 'image.tag=1.2.3'])).toBe('docker.io/ballast/operator:1.2.3');
    expect(image(['--set', `image.digest=${digest}`])).toBe(`docker.io/ballast/operator@${digest}`);
    expect(image(['--set', 'image.registry=registry.example.com/mirror'])).toBe(
      'registry.example.com/mirror/ballast/operator:0.1.0',
    );
    expect(flagsOf(['--set', `inferencePod.image.digest=${digest}`]).image).toBe(
      `docker.io/ballast/inference-pod@${digest}`,
    );
  });
  test('everything reaches the pod', () => {
    const everything = [...(scenarios.find(({ name }) => name === 'everything')?.words ?? [])];
    const { spec, metadata } = podOf(render(everything));
    expect(spec).toMatchObject({
      serviceAccountName: 'ballast-operator',
      imagePullSecrets: [{ name: 'registry-login' }],
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      affinity: { nodeAffinity: expect.anything() },
      priorityClassName: 'system-cluster-critical',
    });
    expect(metadata).toMatchObject({
      labels: { team: 'platform', 'example.com/tier': 'control' },
      annotations: { 'example.com/owner': 'platform', 'example.com/note': 'operator' },
    });
    expect(flagsOf(everything)).toMatchObject({ 'log-level': 'debug', workers: '16', 'read-nodes': 'true' });
    for (const { kind, metadata: own } of render(everything))
      if (!own.name.startsWith('ballast-extra'))
        expect([kind, own.name, own.labels?.team, own.annotations?.['example.com/owner']]).toEqual([
          kind,
          own.name,
          'platform',
          'platform',
        ]);
  });
  test('further objects, as manifests and as templates', () => {
    const everything = render(scenarios.find(({ name }) => name === 'everything')?.words);
    expect(find(everything, 'ConfigMap', 'ballast-extra').data).toEqual({
      note: 'installed with the release',
    });
    expect(find(everything, 'ConfigMap', 'ballast-extra-text').data).toEqual({ version: '0.1.0' });
  });
});

describe('what helm tells', () => {
  // Helm 3 asks a cluster even for this.
  const notes = (words: string[]) => {
    const { out, err, code } = helm(
      ['install', 'ballast', chart, '-n', releaseNamespace, '--dry-run=client', ...words],
      '35',
    );
    expect([code, err]).toEqual([0, expect.anything()]);
    return out.split('NOTES:\n')[1] ?? '';
  };
  test('the next three commands, and what the scope turns off', () => {
    const text = notes([]);
    expect(text).toContain(`1. kubectl apply -n ${releaseNamespace} -f -`);
    expect(text).toContain(`2. kubectl get -n ${releaseNamespace} md wine -w`);
    expect(text).toContain(`3. kubectl port-forward -n ${releaseNamespace} svc/wine 8080`);
    expect(text).toContain(`It looks after ModelDeployments in: ${releaseNamespace}.`);
    expect(text).toContain('Node prices: status.cost is unknown');
    expect(text).toContain('ModelDeployments in other namespaces are left alone');
  });
  test('nothing is off that is on, and the first watched namespace is the one to try', () => {
    const text = notes(['--set', 'watch.clusterWide=true,nodes.read=true,replicas=2']);
    expect(text).not.toContain('Node prices');
    expect(text).not.toContain('Not on');
    expect(notes(['--set', 'watch.namespaces={team-a}'])).toContain('kubectl get -n team-a md wine -w');
    expect(notes(['--set', 'crds.keep=false'])).toContain('EVERY ModelDeployment');
  });
});

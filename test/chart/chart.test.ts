/** The chart as a package: lint, what is generated, values that are refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { chartFiles } from '../../scripts/chart.ts';
import { renderInstall } from '../../scripts/chart-install.ts';
import { readChartValues } from '../../scripts/chart-values.ts';
import {
  chart,
  flagsOf,
  helm,
  type Manifest,
  ofKind,
  podOf,
  refusal,
  render,
  root,
  scenarios,
  template,
} from './support/render.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
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
  test('Kubernetes must be new enough for the CRD, whatever a provider adds to its version', () => {
    expect(refusal(['--kube-version', '1.28.9'])).toContain('requires kubeVersion: >= 1.29.0-0');
    for (const version of ['1.29.0', 'v1.30.4-gke.1348000', 'v1.36.3', 'v1.31.2-eks-7f9249a'])
      expect([version, refusal(['--kube-version', version])]).toEqual([version, 'accepted']);
  });
  test('helm 3 and helm 4 render the same', () => {
    for (const { words } of scenarios) expect(template(words, '32').out).toBe(template(words, '35').out);
  });
  test('generated files are fresh', async () => {
    const files = chartFiles(
      read('crds/generated/modeldeployment.crd.yaml'),
      read('crds/generated/modeldeployment.schema.json'),
    );
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
    ['defaults.pod.nodeSelectr.a=b', 'nodeSelectr'],
    ['defaults.pod.serviceAccountName=shared', 'serviceAccountName'],
    ['defaults.resources.limit.memory=1Gi', 'limit'],
    ['defaults.networkPolicy=On', 'networkPolicy'],
    ['proxy.httpProxi=http://a', 'httpProxi'],
    ['proxy.httpsProxy=proxy.inside:3128', 'httpsProxy'],
    ['proxy.httpProxy=http://me:word@proxy.inside', 'httpProxy'],
    ['defaults.allowModelCidrs={10.1.2.3}', 'allowModelCidrs'],
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
        if (
          !(path === '' && key === 'global') &&
          !/^(defaults\.(pod|resources)|gateway\.resources)$/.test(path)
        )
          walk(child, path === '' ? key : `${path}.${key}`);
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

/** What each value turns on and off: scope, replicas, policies, monitors, images, defaults, notes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { operatorNodeFlags } from '../../local/bundles.ts';
import { gatewaySelector } from '../../operator/model/gateway/children.ts';
import {
  chart,
  find,
  flagsOf,
  helm,
  ofKind,
  podOf,
  refusal,
  releaseNamespace,
  render,
  scenarios,
  withMonitoring,
} from './support/render.ts';

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
  test('the label of prices counts where nodes are read', () => {
    expect(flagsOf([])).not.toHaveProperty('node-price-label');
    const words = ['--set', 'nodes.read=true', '--set', 'nodes.priceLabel=example.com/price'];
    expect(flagsOf(words)).toMatchObject({ 'read-nodes': 'true', 'node-price-label': 'example.com/price' });
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
      { matchNames: ['team-a'] },
    ]);
    const selectors = monitors.map(({ spec }) => (spec as { selector: { matchLabels: unknown } }).selector);
    expect(selectors[2]?.matchLabels).toEqual(gatewaySelector);
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
  test('the heap follows the memory limit, and without one the image says it', () => {
    const env = (...words: string[]) => podOf(render(words)).spec.containers[0].env;
    const heap = [
      { name: 'NODE_OPTIONS', value: expect.stringMatching(/^--max-old-space-size-percentage=/) },
    ];
    expect(env()).toEqual(heap);
    expect(env('--set', 'resources.limits.memory=2Gi')).toEqual(heap);
    expect(env('--set', 'resources.limits.memory=null')).toBeUndefined();
    expect(env('--set', 'resources.limits=null')).toBeUndefined();
    // What is measured for 1,000 ModelDeployments is what the image says too: of 512 MiB.
    const [{ value }] = env() as [{ value: string }];
    const mebibytes = (512 * Number(value.split('=')[1])) / 100;
    expect(operatorNodeFlags).toContain(`--max-old-space-size=${mebibytes}`);
  });
  test('defaults of the fleet reach the operator as a file that it takes, and none is made without any', async () => {
    const { parseDefaults } = await import('../../operator/defaults/schema.ts');
    expect(flagsOf([])).not.toHaveProperty('defaults-file');
    expect(ofKind(render(), 'ConfigMap').map(({ metadata }) => metadata.name)).toEqual(['ballast-test']);
    const words = [...(scenarios.find(({ name }) => name === 'everything')?.words ?? [])];
    expect(flagsOf(words)['defaults-file']).toBe('/etc/ballast/defaults/defaults.yaml');
    const { data } = find(render(words), 'ConfigMap', 'ballast-defaults') as unknown as {
      data: Record<string, string>;
    };
    expect(parseDefaults(data['defaults.yaml'] ?? '')).toEqual({
      resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '512Mi' } },
      pod: {
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [{ key: 'models', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }],
        labels: { team: 'models' },
      },
      gateway: { resources: { requests: { cpu: '200m' }, limits: { memory: '1Gi' } } },
      networkPolicy: 'Restricted',
      fetch: {
        httpsProxy: 'http://proxy.example.com:3128',
        httpProxy: 'http://proxy.example.com:3128',
        noProxy: ['.svc', '10.0.0.0/8'],
        caBundle: expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n[^-]+\n-----END CERTIFICATE-----\n$/),
        allowModelCidrs: ['10.1.0.0/16'],
      },
    });
  });
  test('a private authority may lie in a ConfigMap that somebody else keeps', async () => {
    const { parseDefaults } = await import('../../operator/defaults/schema.ts');
    const words = ['--set', 'privateCA.configMap=company-ca,privateCA.key=bundle.pem'];
    const objects = render(words);
    const { data } = find(objects, 'ConfigMap', 'ballast-defaults') as unknown as {
      data: Record<string, string>;
    };
    expect(data['defaults.yaml']).toBe('fetch:\n  caBundleFile: ca.crt\n');
    expect(() => parseDefaults(data['defaults.yaml'] ?? '')).toThrow('ca.crt: write certificates');
    expect(podOf(objects).spec.volumes).toContainEqual({
      name: 'defaults',
      projected: {
        sources: [
          { configMap: { name: 'ballast-defaults' } },
          { configMap: { name: 'company-ca', items: [{ key: 'bundle.pem', path: 'ca.crt' }] } },
        ],
      },
    });
    expect(refusal([...words, '--set', 'privateCA.pem=x'])).toContain(
      'privateCA.pem and privateCA.configMap: choose one',
    );
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
  test('what is to be applied passes the CRD, and what is to be sent is what the sample expects', async () => {
    const { manifestProblems } = await import('../../crds/manifest-check.ts');
    const text = notes([]);
    const manifest = /<<'EOF'\n([\s\S]*?)\n {5}EOF/.exec(text)?.[1] ?? '';
    expect(manifestProblems(load(manifest))).toEqual([]);
    const sent = JSON.parse(/-d \\\n\s+'(.*)'/.exec(text)?.[1] ?? '') as { inputs: object[] };
    const golden = JSON.parse(readFileSync(join(chart, 'files/sample/request.json'), 'utf8')) as {
      inputs: { data: number[] }[];
    };
    const [input] = golden.inputs;
    expect(sent.inputs).toEqual([{ ...input, shape: [1, 13], data: input?.data.slice(0, 13) }]);
  });
  test('nothing is off that is on, and the first watched namespace is the one to try', () => {
    const text = notes(['--set', 'watch.clusterWide=true,nodes.read=true,replicas=2']);
    expect(text).not.toContain('Node prices');
    expect(text).not.toContain('Not on');
    expect(notes(['--set', 'watch.namespaces={team-a}'])).toContain('kubectl get -n team-a md wine -w');
    expect(notes(['--set', 'crds.keep=false'])).toContain('EVERY ModelDeployment');
  });
});

describe('headroom', () => {
  const cluster = ['--set', 'watch.clusterWide=true'];
  const classes = (words: string[]) => ofKind(render(words), 'PriorityClass');
  const flag = (words: string[]) => flagsOf(words)['headroom-priority-class'];
  test('has a PriorityClass below every model where objects of the cluster are made', () => {
    const [made] = classes(cluster);
    expect(made).toMatchObject({ value: -10, globalDefault: false, preemptionPolicy: 'Never' });
    expect(made?.metadata.name).toBe(`${releaseNamespace}-ballast-headroom`);
    expect(flag(cluster)).toBe(made?.metadata.name);
  });
  test('has the named one, or none', () => {
    const named = [...cluster, '--set', 'headroom.priorityClassName=spare'];
    expect([classes(named), flag(named)]).toEqual([[], 'spare']);
    expect([classes([]), flag([])]).toEqual([[], undefined]);
  });
});

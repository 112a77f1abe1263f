/** What real helm does with the chart on a real API server, the same for versions 3 and 4. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { labels } from '../../../crds/constants.ts';
import { createClient } from '../../../kube/client.ts';
import type { ToolsVersion } from '../../../local/tools.ts';
import { runChartTest } from '../../../operator/chart-test.ts';
import type { Answer, Body } from '../../conformance/support/client.ts';
import { at, names, said } from '../../conformance/support/words.ts';
import { chart, openChartBed, root } from './bed.ts';
import { monitoringDefinition, servesUsers, takesDefaults } from './everything.ts';

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/modeldeployments.ballast.dev';
const sample = load(readFileSync(join(root, 'samples/wine/modeldeployment.yaml'), 'utf8')) as Body;

const conditionOf = (body: Body, type: string) =>
  ((at(body, 'status.conditions') ?? []) as { type: string; status: string; message: string }[]).find(
    (one) => one.type === type,
  );

/** Registers the cases for one version of helm. */
export async function chartCases(version: ToolsVersion, major: number): Promise<void> {
  const { api, helm, tryHelm, kubectl, file, authOf, runOperator, endOperator } = await openChartBed(version);
  const { namespace } = api;
  const models = `/apis/ballast.dev/v1alpha1/namespaces/${namespace}/modeldeployments`;
  const deployment = api.path('deployments', 'ballast');
  const onHere = ['-n', namespace];
  const install = (...words: string[]) =>
    helm('install', 'ballast', chart, ...onHere, '--wait', '--timeout', '60s', ...words);
  const upgrade = (...words: string[]) =>
    helm('upgrade', 'ballast', chart, ...onHere, '--wait', '--timeout', '60s', ...words);
  const untilReady = (name: string) =>
    api.eventually(
      () => api.get(`${models}/${name}`),
      ({ body }) =>
        conditionOf(body, 'Ready')?.status === 'True' &&
        at(body, 'status.observedGeneration') === body.metadata.generation,
    );
  /** What `--wait` waits for may still count a pod of before. */
  const untilPods = (count: number) =>
    api.eventually(
      () => api.get(deployment),
      ({ body }) =>
        at(body, 'status.readyReplicas') === count && at(body, 'status.updatedReplicas') === count,
    );
  const untilGone = (path: string) =>
    api.eventually(
      () => api.get(path),
      ({ status }) => status === 404,
    );
  const children = (plural: string): Promise<Answer> =>
    api.get(api.path(plural), { labelSelector: labels.deployment });
  /**
   * Uid, generation and pod template of each Deployment of a model that stays, name of each pod. The garbage collector may
   * learn of a new kind half a minute late, so children of those that were deleted may still be there.
   */
  const staying = { labelSelector: `${labels.deployment} in (wine,other)` };
  const served = async () => ({
    deployments: (await api.get(api.path('deployments'), staying)).body.items.map(({ metadata, spec }) => [
      metadata.name,
      metadata.uid,
      metadata.generation,
      spec.template,
    ]),
    pods: names(await api.get(api.path('pods'), staying)),
  });

  /**
   * The garbage collector learns of a new kind up to half a minute late, and whose CRD goes before that leaves its children
   * behind for good. Only a collector that watches a kind ends a foreground deletion of it. (That it takes children proves
   * nothing: it asks for owners of a kind that it does not watch one by one, until the CRD is gone.)
   */
  const collectorKnowsUs = async () => {
    const path = `${models}/watched`;
    await api.post(models, { ...sample, metadata: { name: 'watched' } });
    await api.delete(path, { propagationPolicy: 'Foreground' });
    const deadlineMs = Date.now() + 90_000;
    while ((await api.get(path)).status !== 404) {
      if (Date.now() > deadlineMs) throw new Error('the garbage collector does not watch ModelDeployments');
      await delay(200);
    }
  };

  describe(`helm ${major}`, () => {
    test('installs into a namespace that enforces Pod Security restricted', async () => {
      expect(await helm('version', '--short')).toMatch(new RegExp(`^v${major}\\.`));
      const out = await install();
      expect(out).toContain('STATUS: deployed');
      expect(out).toContain(`kubectl get -n ${namespace} md wine -w`);
      await untilPods(1);
      expect(
        names(await api.get('/apis/rbac.authorization.k8s.io/v1/clusterroles')).filter((name) =>
          name.includes('ballast'),
        ),
      ).toEqual([]);
    });

    test('gives the operator the rights that it needs: a sample becomes Ready', async () => {
      await (await runOperator(namespace, 'ballast')).whenRunning();
      expect(said(await api.post(models, sample, { fieldValidation: 'Strict' }))).toBe('201');
      await untilReady('wine');
    });

    test('helm test makes a ModelDeployment, waits, predicts and leaves nothing', async () => {
      const testing = helm('test', 'ballast', ...onHere, '--timeout', '60s');
      // The pod has no node: what its container does is done here, with the pod's own account and arguments.
      const pod = api.path('pods', 'ballast-test');
      const { body } = await api.eventually(
        () => api.get(pod),
        (answer) => at(answer.body, 'status.phase') === 'Running',
      );
      const container = at(body, 'spec.containers.0') as { args: string[] };
      const model = 'sample-ballast';
      expect(container.args).toEqual(['chart-test', namespace, model, '/sample']);
      const { data } = (await api.get(api.path('configmaps', 'ballast-test'))).body as {
        data?: Record<string, string>;
      };
      for (const [name, text] of Object.entries(data ?? {})) file(name, text);
      const client = createClient(await authOf(namespace, 'ballast-test'));
      const asked: string[] = [];
      await runChartTest({
        api: client,
        namespace,
        name: model,
        sample: join(file('modeldeployment.yaml', data?.['modeldeployment.yaml'] ?? ''), '..'),
        say: () => {},
        post: async (url) => {
          asked.push(url);
          return { status: 200, text: data?.['response.json'] ?? '' };
        },
      });
      await client.close();
      expect(asked).toEqual([`http://${model}.${namespace}.svc:8080/v2/models/${model}/infer`]);
      await api.mergePatch(`${pod}/status`, { status: { phase: 'Succeeded' } });
      expect(await testing).toMatch(/Phase:\s+Succeeded/);
      for (const path of [
        pod,
        api.path('serviceaccounts', 'ballast-test'),
        api.path('configmaps', 'ballast-test'),
        `${models}/${model}`,
      ])
        await untilGone(path);
    });

    test('upgrades with live ModelDeployments: no pod of theirs changes', async () => {
      const before = await served();
      expect(before.pods.length).toBeGreaterThan(0);
      await upgrade('--set', 'replicas=2,logLevel=debug,inferencePod.image.tag=0.1.1,workers=4');
      await untilPods(2);
      const operator = await runOperator(namespace, 'ballast');
      await operator.whenRunning();
      // It has looked at wine again: what it would have changed is changed now.
      await api.mergePatch(`${models}/wine`, { spec: { traffic: { timeout: '3s' } } });
      await untilReady('wine');
      expect(await served()).toEqual(before);
      expect((await api.get(api.path('poddisruptionbudgets', 'ballast'))).status).toBe(200);
    });

    test('the same upgrade again changes nothing', async () => {
      const before = (await api.get(deployment)).body.metadata.generation;
      await upgrade('--reuse-values');
      expect((await api.get(deployment)).body.metadata.generation).toBe(before);
    });

    test('rolls back', async () => {
      const before = await served();
      await helm('rollback', 'ballast', '1', ...onHere, '--wait', '--timeout', '60s');
      const { body } = await api.get(deployment);
      expect([at(body, 'spec.replicas'), JSON.stringify(body.spec).includes('--log-level=info')]).toEqual([
        1,
        true,
      ]);
      await untilGone(api.path('poddisruptionbudgets', 'ballast'));
      expect(await served()).toEqual(before);
    });

    test('a second release of the CRD is refused, with the way out', async () => {
      const other = await tryHelm('install', 'second', chart, ...onHere);
      expect(other.code).not.toBe(0);
      expect(other.err).toContain('modeldeployments.ballast.dev');
      expect(other.err).toMatch(/invalid ownership metadata|conflict/);
      await tryHelm('uninstall', 'second', ...onHere);
    });

    test('a second release in the same namespace holds off', async () => {
      await helm('install', 'second', chart, ...onHere, '--set', 'crds.install=false');
      const second = await runOperator(namespace, 'second-ballast');
      let leads = false;
      void second.whenRunning().then(
        () => {
          leads = true;
        },
        () => {},
      );
      await api.post(models, { ...sample, metadata: { name: 'other' } });
      await untilReady('other');
      expect(leads).toBe(false);
      expect(second.metrics.total('writes_total')).toBe(0);
      await endOperator(namespace, 'second-ballast');
      await helm('uninstall', 'second', ...onHere);
      expect((await api.get(crdPath)).status).toBe(200);
    });

    test('a release elsewhere that wants the same namespace holds off and says so', async () => {
      const elsewhere = api.unique('elsewhere');
      await api.post('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: elsewhere },
      });
      const words = ['-n', elsewhere, '--set', `crds.install=false,watch.namespaces={${namespace}}`];
      await helm('install', 'rival', chart, ...words);
      const rival = await runOperator(elsewhere, 'rival-ballast');
      const { body } = await api.eventually(
        () => api.get(api.path('events'), { fieldSelector: 'reason=NamespaceNotClaimed' }),
        (answer) => answer.body.items.length > 0,
      );
      expect(body.items[0]?.message).toContain(`${namespace}/ballast`);
      expect(rival.metrics.total('writes_total')).toBe(0);
      expect(at((await api.get(api.path('leases', 'ballast-claim'))).body, 'spec.holderIdentity')).toContain(
        `${namespace}/ballast`,
      );
      await endOperator(elsewhere, 'rival-ballast');
      await helm('uninstall', 'rival', '-n', elsewhere);
      expect(
        (await api.get(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/rival-ballast`))
          .status,
      ).toBe(404);
    });

    test('a namespace that does not exist is named', async () => {
      const run = await tryHelm(
        'install',
        'lost',
        chart,
        ...onHere,
        '--set',
        'crds.install=false,watch.namespaces={nowhere}',
      );
      expect(run.code).not.toBe(0);
      expect(run.err).toContain('namespaces "nowhere" not found');
      await tryHelm('uninstall', 'lost', ...onHere);
    });

    test('monitoring without the Prometheus operator is refused with its value, and taken where its CRDs are', async () => {
      const everything = ['-f', join(chart, 'ci/everything-values.yaml')];
      const run = await tryHelm('upgrade', 'ballast', chart, ...onHere, ...everything);
      expect(run.code).not.toBe(0);
      expect(run.err).toContain('this cluster does not serve monitoring.coreos.com/v1');
      for (const [plural, kind] of [
        ['podmonitors', 'PodMonitor'],
        ['prometheusrules', 'PrometheusRule'],
      ] as const)
        await api.install(monitoringDefinition(plural, kind));
      // Its account goes with this upgrade, and with it the right to give back the Lease.
      await endOperator(namespace, 'ballast');
      await upgrade(...everything);
      await untilPods(3);
      const list = (plural: string) =>
        api.get(`/apis/monitoring.coreos.com/v1/namespaces/${namespace}/${plural}`);
      expect(names(await list('podmonitors'))).toEqual(['ballast', 'ballast-gateways', 'ballast-models']);
      expect(names(await list('prometheusrules'))).toEqual(['ballast']);
      expect(
        (await api.get(`/apis/rbac.authorization.k8s.io/v1/clusterroles/${namespace}:ballast`)).status,
      ).toBe(200);
      await (await runOperator(namespace, 'ballast')).whenRunning();
      await api.mergePatch(`${models}/wine`, { spec: { traffic: { timeout: '4s' } } });
      await untilReady('wine');
      await takesDefaults(api, models, sample, untilReady);
      await servesUsers(api);
      await endOperator(namespace, 'ballast');
      await upgrade('--reset-values');
      await untilGone(`/apis/rbac.authorization.k8s.io/v1/clusterroles/${namespace}:ballast`);
    });

    test('each file of values is taken by a strict server, field by field', async () => {
      for (const name of ['team-a', 'team-b'])
        await api.post('/api/v1/namespaces', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
        });
      for (const values of readdirSync(join(chart, 'ci'))) {
        const apis = ['--api-versions', 'monitoring.coreos.com/v1', '--skip-tests'];
        const text = await helm(
          'template',
          'strict',
          chart,
          ...onHere,
          '-f',
          join(chart, 'ci', values),
          ...apis,
        );
        const strict = ['--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict'];
        const out = await kubectl('apply', ...strict, '-f', file('strict.yaml', text));
        expect(out).toContain('serverside-applied (server dry run)');
      }
    });

    test('uninstalling keeps the ModelDeployments and what serves, and installing again goes on with them', async () => {
      const before = await served();
      await helm('uninstall', 'ballast', ...onHere, '--wait');
      await untilGone(deployment);
      expect((await api.get(crdPath)).status).toBe(200);
      expect(names(await api.get(models))).toEqual(['other', 'wine']);
      expect(await served()).toEqual(before);
      expect(
        names(await api.get(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`)),
      ).toEqual([]);
      await install();
      await (await runOperator(namespace, 'ballast')).whenRunning();
      await untilReady('wine');
      expect(await served()).toEqual(before);
    });

    test('uninstalling removes everything when that was chosen', async () => {
      await collectorKnowsUs();
      await upgrade('--set', 'crds.keep=false');
      await endOperator(namespace, 'ballast');
      await helm('uninstall', 'ballast', ...onHere);
      await untilGone(crdPath);
      for (const plural of ['deployments', 'services', 'controllerrevisions'])
        await api.eventually(
          () => children(plural),
          ({ body }) => body.items.length === 0,
        );
    }, 150_000);

    test('dist/install.yaml is taken by kubectl as it is', async () => {
      const out = await kubectl('apply', '--server-side', '-f', join(root, 'dist/install.yaml'));
      expect(out).toContain('deployment.apps/ballast serverside-applied');
      expect(await kubectl('apply', '--server-side', '-f', join(root, 'dist/install.yaml'))).toContain(
        'deployment.apps/ballast serverside-applied',
      );
      await kubectl('delete', '-f', join(root, 'dist/install.yaml'), '--wait=false');
    });
  });
}

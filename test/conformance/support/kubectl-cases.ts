/** What real kubectl does against the server under test: one table of cases that each version of it runs through. */
import { expect, test } from '@jest/globals';
import type { Deployment } from '../../../kube/objects.ts';
import { openBed } from './kubectl-bed.ts';
import { boatOf, definitionOf, deployment, runningContainer } from './kubectl-objects.ts';
import { nodeWithLogs } from './node-logs.ts';
import { fakeKubelet } from './pods.ts';
import { said } from './words.ts';

/** Registers all cases for one version. */
export async function kubectlCases(version: '35' | '32'): Promise<void> {
  const bed = await openBed(version);
  const { api, kubectl, tryKubectl, startKubectl, file, until } = bed;
  const kubelet = await fakeKubelet(api);
  const node = await nodeWithLogs(api, ({ container, follow, tailLines }) => [
    `${container} first\n`,
    `${container} ${follow ? 'followed' : 'second'} ${tailLines ?? 'all'}\n`,
  ]);
  const liveWeb = async () => (await api.get(api.path('deployments', 'web'))).body as unknown as Deployment;
  const isThere = async (plural: string, name: string) =>
    (await api.get(api.path(plural, name))).status === 200;
  const group = `${api.unique('kubectl')}.test`;
  // On one real server two versions of kubectl run at once: their kinds must not share names.
  const names = {
    kind: `Boat${version}`,
    one: `boat${version}`,
    short: `bt${version}`,
    all: `fleet${version}`,
  };
  const boat = (crew: unknown, more = '') => boatOf(group, names.kind, crew, more);

  test('version, health and cluster-info', async () => {
    expect(await kubectl('version')).toMatch(/Server Version: v1\.\d+/);
    expect(await kubectl('get --raw /readyz')).toBe('ok');
    expect(await kubectl('cluster-info')).toContain('control plane');
    expect(await kubectl('auth can-i create pods')).toBe('yes\n');
  });

  test('without the token nothing is served', async () => {
    const answer = await tryKubectl(
      `get pods --kubeconfig /dev/null --server ${api.server} --insecure-skip-tls-verify --token wrong`,
    );
    expect(answer.code).not.toBe(0);
    expect(answer.err).toMatch(/Unauthorized|provide credentials|logged in/);
  });

  test('apply creates, changes nothing, changes', async () => {
    const first = file('web.yaml', deployment('nginx:1', kubelet.node));
    expect(await kubectl(`apply -f ${first}`)).toBe('deployment.apps/web created\n');
    expect(await kubectl(`apply -f ${first}`)).toBe('deployment.apps/web unchanged\n');
    const second = file('web2.yaml', deployment('nginx:2', kubelet.node));
    const diff = await tryKubectl(`diff -f ${second}`);
    expect(diff.code).toBe(1);
    expect(diff.out).toMatch(/-\s+image: nginx:1\n\+\s+image: nginx:2/);
    expect(await kubectl(`apply -f ${second} --dry-run=server`)).toContain('configured (server dry run)');
    expect((await liveWeb()).spec.template.spec.containers[0]?.image).toBe('nginx:1');
    expect(await kubectl(`apply -f ${second}`)).toBe('deployment.apps/web configured\n');
    expect((await liveWeb()).spec.template.spec.containers[0]).toMatchObject({
      image: 'nginx:2',
      env: [{ name: 'A', value: '1' }],
    });
    expect((await liveWeb()).metadata.generation).toBe(2);
  });

  test('create -f, once; a warning of the server is shown; there are no metrics', async () => {
    const text = '---\n{ apiVersion: v1, kind: ConfigMap, metadata: { name: made }, data: { a: b } }';
    expect(await kubectl('create -f -', text)).toBe('configmap/made created\n');
    expect((await tryKubectl('create -f -', text)).err).toContain('configmaps "made" already exists');
    const odd = await tryKubectl('apply --validate=warn -f -', text.replace(', data:', ', dta: 1, data:'));
    expect([odd.code, odd.err]).toEqual([0, expect.stringContaining('Warning: unknown field "dta"')]);
    expect((await tryKubectl('top pods')).err).toContain('Metrics API not available');
    await kubectl('delete configmap made');
  });

  test('apply refuses a field that the kind does not have', async () => {
    const answer = await tryKubectl(
      'apply -f -',
      deployment('x', kubelet.node).replace('replicas:', 'replica:'),
    );
    expect(answer.err).toContain('strict decoding error: unknown field "spec.replica"');
  });

  test('server-side apply owns, conflicts and takes over', async () => {
    const map = (value: string) =>
      `---\n{ apiVersion: v1, kind: ConfigMap, metadata: { name: owned }, data: { a: ${value} } }`;
    const apply = (value: string, flags: string) =>
      tryKubectl(`apply --server-side ${flags} -f -`, map(value));
    expect((await apply('one', '--field-manager=first')).out).toContain('serverside-applied');
    expect((await apply('two', '--field-manager=second')).err).toContain(
      'Apply failed with 1 conflict: conflict with "first": .data.a',
    );
    expect((await apply('two', '--field-manager=second --force-conflicts')).code).toBe(0);
    expect((await api.get(api.path('configmaps', 'owned'))).body.data).toEqual({ a: 'two' });
  });

  test('get prints tables, wide, selected, as YAML', async () => {
    expect(await kubectl('get deployments')).toMatch(
      /^NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+0\/2/,
    );
    expect(await kubectl('get deploy web -o wide')).toMatch(
      /CONTAINERS\s+IMAGES\s+SELECTOR\nweb .*main\s+nginx:2\s+app=web/,
    );
    expect(await kubectl('get deploy -A -l app=web -o name')).toContain('deployment.apps/web\n');
    expect((await tryKubectl('get deploy -l app=other')).err).toContain('No resources found');
    expect(await kubectl('get ns --field-selector metadata.name=default -o name')).toBe(
      'namespace/default\n',
    );
    expect(await kubectl('get deploy web -o yaml')).toContain('image: nginx:2');
    expect(await kubectl('get all')).toContain('deployment.apps/web');
    expect((await tryKubectl('get pods nobody')).err).toBe(
      'Error from server (NotFound): pods "nobody" not found\n',
    );
  });

  test('describe and explain', async () => {
    expect(await kubectl('describe deploy web')).toMatch(/Replicas:\s+2 desired/);
    expect(await kubectl('explain deployment.spec.template.spec.containers')).toMatch(
      /FIELD: containers <\[\]Container>/,
    );
    expect(await kubectl('explain pod.spec.restartPolicy')).toContain('restartPolicy <string>');
  });

  test('scale, set image, label, annotate, patch of every type', async () => {
    await kubectl('scale deploy web --replicas=4');
    await kubectl('set image deploy/web main=nginx:3');
    await kubectl('label deploy web tier=front');
    await kubectl('annotate deploy web why=test');
    await kubectl(
      `patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"name":"main","workingDir":"/w"}]}}}}'`,
    );
    await kubectl(`patch deploy web --type merge -p '{"spec":{"minReadySeconds":3}}'`);
    await kubectl(`patch deploy web --type json -p '[{"op":"add","path":"/spec/paused","value":true}]'`);
    const condition = '{"type":"test.dev/Seen","status":"True","reason":"R","message":""}';
    await kubectl(
      `patch deploy web --subresource=status --type strategic -p '{"status":{"conditions":[${condition}]}}'`,
    );
    expect(await liveWeb()).toMatchObject({
      metadata: { labels: { app: 'web', tier: 'front' }, annotations: { why: 'test' } },
      spec: {
        replicas: 4,
        minReadySeconds: 3,
        paused: true,
        template: { spec: { containers: [{ name: 'main', image: 'nginx:3', workingDir: '/w' }] } },
      },
    });
    expect(await kubectl('get deploy web -o jsonpath={.status.conditions[*].type}')).toContain(
      'test.dev/Seen',
    );
  });

  test('edit and replace', async () => {
    file('editor', '#!/bin/sh\nsed -i "s/paused: true/paused: false/" "$1"\n');
    expect(await kubectl('edit deploy web')).toContain('web edited');
    expect((await liveWeb()).spec.paused ?? false).toBe(false);
    await kubectl('create configmap replaced --from-literal=a=b');
    const text = await kubectl('get configmap replaced -o yaml');
    await kubectl('replace -f -', text.replace('a: b', 'a: c'));
    expect(await kubectl('get configmap replaced -o jsonpath={.data.a}')).toBe('c');
    const stale = await tryKubectl('replace -f -', text);
    expect(stale.err).toContain(
      'the object has been modified; please apply your changes to the latest version',
    );
  });

  test('rollout status waits for the controller', async () => {
    const waits = startKubectl('rollout status deploy/web --timeout=30s');
    await until('kubectl waits', () => waits.text().includes('Waiting for deployment'));
    // Whatever pods the controller makes run at once.
    let done = false;
    void waits.ended.then(() => {
      done = true;
    });
    const ready = new Set<string>();
    await until('the rollout is over', async () => {
      for (const { metadata } of await kubelet.pods('web'))
        if (!ready.has(metadata.name ?? '')) {
          ready.add(metadata.name ?? '');
          await kubelet.report(metadata.name ?? '').catch(() => ready.delete(metadata.name ?? ''));
        }
      return done;
    });
    expect(await waits.ended).toMatchObject({
      code: 0,
      out: expect.stringContaining('successfully rolled out'),
    });
    expect(await kubectl('rollout history deploy/web')).toMatch(/REVISION\s+CHANGE-CAUSE\n1 /);
    expect(await kubectl('rollout restart deploy/web')).toContain('restarted');
    expect((await liveWeb()).spec.template.metadata?.annotations).toHaveProperty([
      'kubectl.kubernetes.io/restartedAt',
    ]);
    await kubectl('rollout pause deploy/web');
    await kubectl('rollout resume deploy/web');
  });

  test('wait for a condition and for a deletion', async () => {
    const held = { name: 'waited', finalizers: ['test.dev/hold'] };
    const spec = { nodeName: kubelet.node, containers: [{ name: 'main', image: 'i' }] };
    const made = await api.post(api.path('pods'), { apiVersion: 'v1', kind: 'Pod', metadata: held, spec });
    expect(said(made)).toBe('201');
    const waits = startKubectl('wait pod/waited --for=condition=Ready --timeout=20s');
    const phase = startKubectl(`wait pod/waited --for=jsonpath={.status.phase}=Running --timeout=20s`);
    await kubelet.report('waited');
    expect(await phase.ended).toMatchObject({ code: 0 });
    expect(await waits.ended).toMatchObject({ code: 0 });
    const deletes = startKubectl('delete pod waited --grace-period=0 --force');
    const gone = startKubectl('wait pod/waited --for=delete --timeout=20s');
    await until('the deletion was asked for', async () => {
      const { body } = await api.get(api.path('pods', 'waited'));
      return body.metadata.deletionTimestamp !== undefined;
    });
    await kubectl(`patch pod waited --type merge -p '{"metadata":{"finalizers":null}}'`);
    expect(await deletes.ended).toMatchObject({ code: 0 });
    expect(await gone.ended).toMatchObject({ code: 0 });
  });

  test('logs come from the node, and follow, and of a Deployment', async () => {
    const runs = async (pod: string) => {
      const status = { phase: 'Running', containerStatuses: [runningContainer] };
      expect(said(await api.strategicPatch(api.path('pods', pod, 'status'), { status }))).toBe('200');
    };
    await kubectl(`run chatty --image=i --overrides='{"spec":{"nodeName":"${node}"}}'`);
    await runs('chatty');
    expect(await kubectl('logs chatty')).toBe('chatty first\nchatty second all\n');
    expect(await kubectl('logs -f chatty --tail=5')).toContain('chatty followed 5');
    expect((await tryKubectl('logs chatty -c nobody')).err).toContain(
      'container nobody is not valid for pod chatty',
    );
    await kubectl('delete pod chatty --grace-period=0 --force');
    await kubectl(
      'apply -f -',
      deployment('i', node).replaceAll('web', 'talks').replace('replicas: 2', 'replicas: 1'),
    );
    const [pod] = await kubelet.untilPods('talks', 1);
    await runs(pod?.metadata.name ?? '');
    expect(await kubectl('logs deploy/talks')).toContain('main second all');
    await kubectl('delete deploy talks');
  });

  test('get -w shows what changes', async () => {
    const watches = startKubectl('get configmaps -w --output-watch-events');
    await until('the first rows', () => watches.text().includes('owned'));
    await kubectl('create configmap seen --from-literal=a=b');
    await until('ADDED', () => /ADDED\s+seen\s+1/.test(watches.text()));
    await kubectl(`patch configmap seen --type merge -p '{"data":{"c":"d"}}'`);
    await until('MODIFIED', () => /MODIFIED\s+seen\s+2/.test(watches.text()));
    await kubectl('delete configmap seen');
    await until('DELETED', () => /DELETED\s+seen/.test(watches.text()));
    watches.stop();
    await watches.ended;
  });

  test('typed clients create by protobuf', async () => {
    await kubectl('create deployment typed --image=i --replicas=3 --port=80');
    await kubectl('create configmap typed --from-literal=a=b');
    await kubectl('create secret generic typed --from-literal=a=b');
    await kubectl('create serviceaccount typed');
    await kubectl('create service clusterip typed --tcp=80:8080');
    await kubectl('create role typed --verb=get --resource=pods');
    await kubectl('create quota typed --hard=pods=9');
    await kubectl('create poddisruptionbudget typed --selector=app=typed --min-available=1');
    await kubectl(
      `autoscale deployment typed --max=3 ${version === '32' ? '--cpu-percent=50' : '--cpu=50%'}`,
    );
    expect(
      await kubectl('get deploy typed -o jsonpath={.spec.replicas}{.spec.template.spec.containers[0].ports}'),
    ).toBe('3[{"containerPort":80,"protocol":"TCP"}]');
    expect(await kubectl('get secret typed -o jsonpath={.data.a}')).toBe('Yg==');
    expect(
      await kubectl('get service typed -o jsonpath={.spec.clusterIP}:{.spec.ports[0].targetPort}'),
    ).toMatch(/^(127|10)\.96\.\d+\.\d+:8080$/);
    expect(
      await kubectl('get hpa typed -o jsonpath={.spec.metrics[0].resource.target.averageUtilization}'),
    ).toBe('50');
    await kubectl('delete deploy,cm,secret,sa,svc,role,quota,pdb,hpa typed');
  });

  test('events are listed and described', async () => {
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'web.1' },
      involvedObject: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: 'web',
        namespace: api.namespace,
        uid: (await liveWeb()).metadata.uid,
      },
      reason: 'Sailing',
      message: 'all hands',
      type: 'Normal',
      lastTimestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      count: 1,
    };
    expect(said(await api.post(api.path('events'), event))).toBe('201');
    expect(await kubectl('get events')).toMatch(/Normal\s+Sailing\s+deployment\/web\s+all hands/);
    expect(await kubectl('events --for deployment/web')).toContain('all hands');
    expect(await kubectl('describe deploy web')).toContain('all hands');
  });

  test('a CRD is served at once: apply, columns, explain, scale, status, refusals', async () => {
    await kubectl('apply -f -', definitionOf(group, names));
    api.cleanUp(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${names.one}s.${group}`);
    await kubectl(`wait crd/${names.one}s.${group} --for=condition=Established --timeout=5s`);
    // A real server adds it to its documents a moment later.
    await until('the schema is published', async () =>
      Object.keys((await api.get('/openapi/v3')).body.paths ?? {}).includes(`apis/${group}/v1`),
    );
    await until('explain knows it', async () => (await tryKubectl(`explain ${names.one}`)).code === 0);
    expect(await kubectl('apply -f -', boat(3))).toBe(`${names.one}.${group}/ada created\n`);
    await kubectl(
      `patch ${names.one} ada --subresource=status --type merge -p '{"status":{"conditions":[{"type":"Afloat","status":"True"}]}}'`,
    );
    expect(await kubectl(`describe ${names.one} ada`)).toMatch(/Spec:\n\s+Crew:\s+3/);
    expect(await kubectl(`get ${names.short}`)).toMatch(/^NAME\s+CREW\s+AFLOAT\nada\s+3\s+True\n/);
    expect(await kubectl(`get ${names.all} -o wide`)).toMatch(/NOTE\nada\s+3\s+True\s+none/);
    expect(await kubectl(`explain ${names.one}.spec.crew`)).toContain('How many sail her.');
    expect(await kubectl(`scale ${names.one} ada --replicas=5`)).toBe(`${names.one}.${group}/ada scaled\n`);
    expect((await tryKubectl('apply -f -', boat(12))).err).toContain('at most nine sail a boat');
    expect((await tryKubectl('apply -f -', boat("'x'"))).err).toContain('must be of type integer');
    expect((await tryKubectl('apply -f -', boat(2, ', sails: 1'))).err).toContain(
      'unknown field "spec.sails"',
    );
    expect(await kubectl('apply --server-side --force-conflicts -f -', boat(4))).toContain(
      'serverside-applied',
    );
    expect(await kubectl(`api-resources --api-group=${group} --no-headers`)).toMatch(
      new RegExp(`${names.one}s\\s+${names.short}\\s+${group}/v1\\s+true\\s+${names.kind}`),
    );
    await kubectl(`delete crd ${names.one}s.${group}`);
    expect((await tryKubectl(`get --raw /apis/${group}/v1/${names.one}s`)).code).not.toBe(0);
  });

  test('delete takes dependents along, leaves them, or waits for them', async () => {
    const owned = async (name: string) => {
      await kubectl(`create configmap ${name}`);
      const owner = (await api.get(api.path('configmaps', name))).body;
      const reference = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name,
        uid: owner.metadata.uid ?? '',
        blockOwnerDeletion: true,
      };
      const metadata = { name: `${name}-child`, ownerReferences: [reference] };
      const made = await api.post(api.path('configmaps'), { apiVersion: 'v1', kind: 'ConfigMap', metadata });
      expect(said(made)).toBe('201');
      return metadata.name;
    };
    const background = await owned('back');
    await kubectl('delete configmap back');
    await until('the dependent is gone', async () => !(await isThere('configmaps', background)));
    const foreground = await owned('fore');
    await kubectl('delete configmap fore --cascade=foreground');
    expect(await isThere('configmaps', foreground)).toBe(false);
    const orphan = await owned('lone');
    await kubectl('delete configmap lone --cascade=orphan');
    await until('the dependent is on its own', async () => {
      const { body } = await api.get(api.path('configmaps', orphan));
      return body.metadata.name === orphan && body.metadata.ownerReferences === undefined;
    });
    await kubectl('delete configmap --all');
  });

  test('a namespace is drained and goes', async () => {
    const short = api.unique('short');
    await kubectl(`create namespace ${short}`);
    await kubectl(`create configmap inside -n ${short}`);
    await kubectl(`delete namespace ${short}`);
    expect((await tryKubectl(`get namespace ${short}`)).err).toContain(`namespaces "${short}" not found`);
  });
}

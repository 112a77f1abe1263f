/** What real kubectl does against the embedded API server: one table of cases that each version of it runs through. */
import { expect, test } from '@jest/globals';
import type { ConfigMap, Deployment, Pod } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { patchTypes } from '../../local/apiserver/index.ts';
import { openBed } from './kubectl-bed.ts';

const deployment = (image: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - { name: main, image: "${image}", ports: [{ containerPort: 80, name: http }], env: [{ name: A, value: "1" }] }
`;

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: boats.test.dev }
spec:
  group: test.dev
  scope: Namespaced
  names: { kind: Boat, plural: boats, singular: boat, shortNames: [bt], categories: [fleet] }
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: { specReplicasPath: .spec.crew, statusReplicasPath: .status.crew }
    additionalPrinterColumns:
    - { name: Crew, type: integer, jsonPath: .spec.crew }
    - { name: Afloat, type: string, jsonPath: '.status.conditions[?(@.type=="Afloat")].status' }
    - { name: Note, type: string, jsonPath: .spec.note, priority: 1 }
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [crew]
            properties:
              crew: { type: integer, minimum: 0, description: How many sail her. }
              note: { type: string, default: none }
            x-kubernetes-validations:
            - { rule: 'self.crew < 10', message: at most nine sail a boat }
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
`;

const boat = (crew: unknown, more = '') =>
  `---\n{ apiVersion: test.dev/v1, kind: Boat, metadata: { name: ada }, spec: { crew: ${crew}${more} } }`;

/** Registers all cases for one version. */
export async function kubectlCases(version: '35' | '32'): Promise<void> {
  const bed = await openBed(version);
  const { kubectl, tryKubectl, startKubectl, file, until } = bed;
  const { registry } = bed.server;
  const web = { namespace: 'default', name: 'web' };
  const liveWeb = () => registry.get<Deployment>(resources.deployments, web);

  test('version, health and cluster-info', async () => {
    expect(await kubectl('version')).toMatch(/Server Version: v1\.\d+/);
    expect(await kubectl('get --raw /readyz')).toBe('ok');
    expect(await kubectl('cluster-info')).toContain('control plane');
    expect(await kubectl('auth can-i create pods')).toBe('yes\n');
  });

  test('without the token nothing is served', async () => {
    const answer = await tryKubectl(
      `get pods --kubeconfig /dev/null --server ${bed.server.url} --insecure-skip-tls-verify --token wrong`,
    );
    expect(answer.code).not.toBe(0);
    expect(answer.err).toMatch(/Unauthorized|provide credentials|logged in/);
  });

  test('apply creates, changes nothing, changes', async () => {
    const first = file('web.yaml', deployment('nginx:1'));
    expect(await kubectl(`apply -f ${first}`)).toBe('deployment.apps/web created\n');
    expect(await kubectl(`apply -f ${first}`)).toBe('deployment.apps/web unchanged\n');
    const second = file('web2.yaml', deployment('nginx:2'));
    const diff = await tryKubectl(`diff -f ${second}`);
    expect(diff.code).toBe(1);
    expect(diff.out).toMatch(/-\s+image: nginx:1\n\+\s+image: nginx:2/);
    expect(await kubectl(`apply -f ${second} --dry-run=server`)).toContain('configured (server dry run)');
    expect(liveWeb().spec.template.spec.containers[0]?.image).toBe('nginx:1');
    expect(await kubectl(`apply -f ${second}`)).toBe('deployment.apps/web configured\n');
    expect(liveWeb().spec.template.spec.containers[0]).toMatchObject({
      image: 'nginx:2',
      env: [{ name: 'A', value: '1' }],
    });
    expect(liveWeb().metadata.generation).toBe(2);
  });

  test('apply refuses a field that the kind does not have', async () => {
    const answer = await tryKubectl('apply -f -', deployment('x').replace('replicas:', 'replica:'));
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
    expect(
      registry.get<ConfigMap>(resources.configMaps, { namespace: 'default', name: 'owned' }).data,
    ).toEqual({ a: 'two' });
  });

  test('get prints tables, wide, selected, as YAML', async () => {
    expect(await kubectl('get deployments')).toMatch(
      /^NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+0\/2/,
    );
    expect(await kubectl('get deploy web -o wide')).toMatch(
      /CONTAINERS\s+IMAGES\s+SELECTOR\nweb .*main\s+nginx:2\s+app=web/,
    );
    expect(await kubectl('get deploy -A -l app=web -o name')).toBe('deployment.apps/web\n');
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
    await kubectl(`patch deploy web --subresource=status --type merge -p '{"status":{"replicas":4}}'`);
    expect(liveWeb()).toMatchObject({
      metadata: { labels: { app: 'web', tier: 'front' }, annotations: { why: 'test' } },
      spec: {
        replicas: 4,
        minReadySeconds: 3,
        paused: true,
        template: { spec: { containers: [{ name: 'main', image: 'nginx:3', workingDir: '/w' }] } },
      },
      status: { replicas: 4 },
    });
  });

  test('edit and replace', async () => {
    file('editor', '#!/bin/sh\nsed -i "s/paused: true/paused: false/" "$1"\n');
    expect(await kubectl('edit deploy web')).toContain('web edited');
    expect(liveWeb().spec.paused ?? false).toBe(false);
    const text = await kubectl('get deploy web -o yaml');
    await kubectl('replace -f -', text.replace('minReadySeconds: 3', 'minReadySeconds: 5'));
    expect(liveWeb().spec.minReadySeconds).toBe(5);
    const stale = await tryKubectl('replace -f -', text);
    expect(stale.err).toContain(
      'the object has been modified; please apply your changes to the latest version',
    );
  });

  test('rollout status waits for the controller', async () => {
    const waits = startKubectl('rollout status deploy/web --timeout=20s');
    await until('kubectl waits', () => waits.text().includes('Waiting for deployment'));
    registry.edit<Deployment>(
      resources.deployments,
      web,
      (draft) => {
        const all = draft.spec.replicas ?? 1;
        draft.status = {
          observedGeneration: draft.metadata.generation ?? 0,
          replicas: all,
          updatedReplicas: all,
          readyReplicas: all,
          availableReplicas: all,
        };
      },
      { subresource: 'status' },
    );
    expect(await waits.ended).toMatchObject({
      code: 0,
      out: expect.stringContaining('successfully rolled out'),
    });
    expect(await kubectl('rollout restart deploy/web')).toContain('restarted');
  });

  test('wait for a condition and for a deletion', async () => {
    registry.create(resources.pods, {
      metadata: { name: 'waited', namespace: 'default', finalizers: ['test.dev/hold'] },
      spec: { containers: [{ name: 'main', image: 'i' }] },
    } as Pod);
    const waits = startKubectl('wait pod/waited --for=condition=Ready --timeout=20s');
    const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    const ref = { namespace: 'default', name: 'waited' };
    registry.patch(resources.pods, ref, ready, { patchType: patchTypes.merge, subresource: 'status' });
    expect(await waits.ended).toMatchObject({ code: 0 });
    const deletes = startKubectl('delete pod waited');
    await until('the deletion was asked for', () =>
      Boolean(registry.find<Pod>(resources.pods, ref)?.metadata.deletionTimestamp),
    );
    await kubectl(`patch pod waited --type merge -p '{"metadata":{"finalizers":null}}'`);
    expect(await deletes.ended).toMatchObject({ code: 0 });
  });

  test('logs come from the log source, and follow', async () => {
    registry.setLogSource({
      async *read(_pod, { container, follow, tailLines }) {
        yield `${container} first\n`;
        yield `${container} ${follow ? 'followed' : 'second'} ${tailLines ?? 'all'}\n`;
      },
    });
    await kubectl('run chatty --image=i');
    registry.bind({ namespace: 'default', name: 'chatty' }, 'node');
    expect(await kubectl('logs chatty')).toBe('chatty first\nchatty second all\n');
    expect(await kubectl('logs -f chatty --tail=5')).toContain('chatty followed 5');
    expect((await tryKubectl('logs chatty -c nobody')).err).toContain(
      'container nobody is not valid for pod chatty',
    );
    await kubectl('delete pod chatty --grace-period=0 --force');
  });

  test('what a pod here has not is said with what to do instead', async () => {
    await kubectl('run closed --image=i');
    registry.bind({ namespace: 'default', name: 'closed' }, 'node');
    const { name, namespace } = { name: 'closed', namespace: 'default' };
    registry.update(
      resources.pods,
      { ...registry.get(resources.pods, { name, namespace }), status: { phase: 'Running' } },
      { subresource: 'status' },
    );
    expect((await tryKubectl('exec closed -- ls')).err).toContain(
      'the embedded cluster has no exec: a pod is',
    );
    expect((await tryKubectl('port-forward pod/closed :80')).err).toContain(
      'has no portforward: its addresses',
    );
    await kubectl('delete pod closed --grace-period=0 --force');
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
    ).toMatch(/^127\.96\.\d+\.\d+:8080$/);
    expect(
      await kubectl('get hpa typed -o jsonpath={.spec.metrics[0].resource.target.averageUtilization}'),
    ).toBe('50');
    await kubectl('delete deploy,cm,secret,sa,svc,role,quota,pdb,hpa typed');
  });

  test('events are listed and described', async () => {
    registry.create(resources.events, {
      metadata: { name: 'web.1', namespace: 'default' },
      involvedObject: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: 'web',
        namespace: 'default',
        uid: liveWeb().metadata.uid,
      },
      reason: 'Sailing',
      message: 'all hands',
      type: 'Normal',
      lastTimestamp: new Date().toISOString(),
      count: 1,
    } as never);
    expect(await kubectl('get events')).toMatch(/Normal\s+Sailing\s+deployment\/web\s+all hands/);
    expect(await kubectl('events --for deployment/web')).toContain('all hands');
    expect(await kubectl('describe deploy web')).toContain('all hands');
  });

  test('a CRD is served at once: apply, columns, explain, scale, status, refusals', async () => {
    await kubectl('apply -f -', definition);
    await kubectl('wait crd/boats.test.dev --for=condition=Established --timeout=5s');
    expect(await kubectl('apply -f -', boat(3))).toBe('boat.test.dev/ada created\n');
    await kubectl(
      `patch boat ada --subresource=status --type merge -p '{"status":{"conditions":[{"type":"Afloat","status":"True"}]}}'`,
    );
    expect(await kubectl('get bt')).toMatch(/^NAME\s+CREW\s+AFLOAT\nada\s+3\s+True\n/);
    expect(await kubectl('get fleet -o wide')).toMatch(/NOTE\nada\s+3\s+True\s+none/);
    expect(await kubectl('explain boat.spec.crew')).toContain('How many sail her.');
    expect(await kubectl('scale boat ada --replicas=5')).toBe('boat.test.dev/ada scaled\n');
    expect((await tryKubectl('apply -f -', boat(12))).err).toContain('at most nine sail a boat');
    expect((await tryKubectl('apply -f -', boat("'x'"))).err).toContain('must be of type integer');
    expect((await tryKubectl('apply -f -', boat(2, ', sails: 1'))).err).toContain(
      'unknown field "spec.sails"',
    );
    expect(await kubectl('apply --server-side --force-conflicts -f -', boat(4))).toContain(
      'serverside-applied',
    );
    expect(await kubectl('api-resources --api-group=test.dev')).toMatch(
      /boats\s+bt\s+test.dev\/v1\s+true\s+Boat/,
    );
    await kubectl('delete crd boats.test.dev');
    expect((await tryKubectl('get --raw /apis/test.dev/v1/boats')).code).not.toBe(0);
  });

  test('delete takes dependents along, leaves them, or waits for them', async () => {
    const owned = async (name: string) => {
      await kubectl(`create configmap ${name}`);
      const owner = registry.get<ConfigMap>(resources.configMaps, { namespace: 'default', name });
      const reference = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name,
        uid: owner.metadata.uid ?? '',
        blockOwnerDeletion: true,
      };
      const child = { name: `${name}-child`, namespace: 'default', ownerReferences: [reference] };
      registry.create(resources.configMaps, { metadata: child });
      return child;
    };
    const find = (ref: { name: string; namespace: string }) =>
      registry.find<ConfigMap>(resources.configMaps, ref);
    const background = await owned('back');
    await kubectl('delete configmap back');
    await until('the dependent is gone', () => find(background) === undefined);
    const foreground = await owned('fore');
    await kubectl('delete configmap fore --cascade=foreground');
    expect(find(foreground)).toBeUndefined();
    const orphan = await owned('lone');
    await kubectl('delete configmap lone --cascade=orphan');
    expect(find(orphan)?.metadata.ownerReferences).toBeUndefined();
    await kubectl('delete configmap --all');
  });

  test('a namespace is drained and goes', async () => {
    await kubectl('create namespace short');
    await kubectl('create configmap inside -n short');
    await kubectl('delete namespace short');
    expect((await tryKubectl('get namespace short')).err).toContain('namespaces "short" not found');
  });
}

/** Rows about answers: golden outputs through the Service, threads by the CPU limit, replicas that follow the load. */
import { describe, expect, test } from '@jest/globals';
import { until } from '../../until.ts';
import { type Bed, namespace, sampleFile } from './bed.ts';
import { expectGolden } from './golden.ts';
import { lost, nothing } from './load.ts';
import { patient, smallPod, wine } from './rollouts.ts';

const samples = ['wine', 'digits', 'penguins', 'digit-images'];

/** What a container of the restricted profile may do. */
const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Asks every model by the name of its Service and prints the answers, one line each. */
const script = `
for (const [name, body] of Object.entries(JSON.parse(process.env.REQUESTS))) {
  const url = 'http://' + name + '.${namespace}.svc.cluster.local:8080/v2/models/' + name + '/infer';
  const answer = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(10_000) });
  console.log(JSON.stringify({ name, status: answer.status, body: await answer.json() }));
}`;

const limits = [
  { name: 'two-cpus', cpu: '2', threads: 2, quota: 200_000 },
  { name: 'one-cpu', cpu: '1', threads: 1, quota: 100_000 },
  { name: 'less-than-one', cpu: '400m', threads: 1, quota: 40_000 },
];

/** Prints what the kernel holds a container to, microseconds in each 100,000, with control groups of version 1 or 2. */
const readQuota = `
const { readFileSync } = require('fs');
const at = (path) => { try { return readFileSync('/sys/fs/cgroup/' + path, 'utf8').split(' ')[0].trim(); } catch {} };
console.log(at('cpu/cpu.cfs_quota_us') ?? at('cpu.max'));`;

/** Rows of this file. */
export function servingRows(bed: Bed): void {
  describe('the samples', () => {
    test('answer as Python’s onnxruntime does, to the host by ClusterIP and to a pod by name', async () => {
      for (const name of samples) await bed.apply(sampleFile(name, 'modeldeployment.yaml'));
      for (const name of samples) await bed.untilReady(name);
      for (const name of samples) {
        const { status, text } = await bed.infer(name, sampleFile(name, 'golden/request.json'));
        expect([name, status]).toEqual([name, 200]);
        expectGolden(name, JSON.parse(text));
      }

      const requests = Object.fromEntries(
        samples.map((name) => [name, sampleFile(name, 'golden/request.json')]),
      );
      await bed.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'client' },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'client',
              image: bed.images.operator,
              command: ['/nodejs/bin/node', '--input-type=module', '-e', script],
              env: [{ name: 'REQUESTS', value: JSON.stringify(requests) }],
              securityContext: restricted,
            },
          ],
        },
      });
      await bed.kubectl(
        'wait',
        'pod/client',
        '-n',
        namespace,
        '--for=jsonpath={.status.phase}=Succeeded',
        '--timeout=60s',
      );
      const lines = (await bed.kubectl('logs', 'client', '-n', namespace)).trim().split('\n');
      const answers = lines.map(
        (line) => JSON.parse(line) as { name: string; status: number; body: unknown },
      );
      expect(answers.map(({ name, status }) => [name, status])).toEqual(samples.map((name) => [name, 200]));
      for (const { name, body } of answers) expectGolden(name, body);
      await bed.kubectl('delete', 'pod', 'client', '-n', namespace);
    });
  });

  describe('the CPU limit', () => {
    test('gives as many threads', async () => {
      for (const { name, cpu } of limits)
        await bed.model(name, {
          model: wine,
          runtime: {
            resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { cpu, memory: '512Mi' } },
          },
        });
      for (const { name, cpu, threads, quota } of limits) {
        await bed.untilReady(name);
        const pod = `deployment/${(await bed.read(name)).status?.stable?.revision}`.replace('/', `/${name}-`);
        const serve = ['-n', namespace, '-c', 'serve', pod];
        const logged = await bed.kubectl('logs', ...serve);
        const ready = logged.split('\n').find((line) => line.includes('"message":"ready"')) ?? '{}';
        const quoted = await bed.kubectl('exec', ...serve, '--', '/nodejs/bin/node', '-e', readQuota);
        const found = { threads: JSON.parse(ready).threads, quota: Number(quoted) };
        bed.say(`CPU limit ${cpu}: the kernel gives ${found.quota} of 100000 µs, ${found.threads} threads`);
        expect({ cpu, ...found }).toEqual({ cpu, threads, quota });
      }
    });
  });

  describe('a load', () => {
    test('raises the replicas, and no request fails meanwhile', async () => {
      const perReplica = 10;
      await bed.model('busy', {
        model: wine,
        runtime: smallPod,
        traffic: patient,
        sla: { latency: { p95: '10s' } },
        scaling: { minReplicas: 1, maxReplicas: 3, requestsPerSecondPerReplica: perReplica },
      });
      await bed.untilReady('busy');
      const { result, figures } = await bed.during(
        `30 requests per second on a model that takes ${perReplica} per replica`,
        { model: 'busy', sample: 'wine', requestsPerSecond: 3 * perReplica },
        (load) =>
          until('three replicas are ready', async () => {
            const { status } = await bed.read('busy');
            return status?.readyReplicas === 3 && load.now();
          }),
      );
      bed.say(`1 → 3 replicas, the third ready ${(result / 1_000).toFixed(1)} s after the load began`);
      fall.fromMs = Date.now();
      expect(lost(figures)).toEqual(nothing);
    });
  });
}

const fall = { fromMs: 0 };

/** The last word about the load: the replicas are as few as before. A minute and more, so other rows come between. */
export function fallenRow(bed: Bed): void {
  test('the replicas fell after the load', async () => {
    await until('one replica is left', async () => (await bed.read('busy')).status?.replicas === 1, 180_000);
    const told = await bed.kubectl(
      'get',
      'events',
      '-n',
      namespace,
      '-o',
      'json',
      '--field-selector',
      'involvedObject.name=busy,reason=ScaledDown',
    );
    const { items } = JSON.parse(told) as { items: { message: string; lastTimestamp: string }[] };
    const [last] = items.toSorted((a, b) => (a.lastTimestamp < b.lastTimestamp ? 1 : -1));
    const seconds = (Date.parse(last?.lastTimestamp ?? '') - fall.fromMs) / 1_000;
    bed.say(`3 → 1 replicas ${seconds.toFixed(0)} s after the load ended: ${last?.message}`);
    expect(last?.message).toMatch(/^from \d to 1 replicas/);
    await bed.kubectl('delete', 'md', 'busy', '-n', namespace);
  });
}

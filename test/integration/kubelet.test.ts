/** Pods as real processes: what the kubelet promises about their lives. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { resources } from '../../kube/resource.ts';
import { isAlive, startTestbed, type Testbed, until } from './kubelet-testbed.ts';

let bed: Testbed;
beforeAll(async () => {
  bed = await startTestbed();
});
afterAll(async () => {
  await bed.close();
});

const terminated = (name: string, container = 0) =>
  bed.pod(name)?.status?.containerStatuses?.[container]?.state?.terminated;
const phase = (name: string) => bed.pod(name)?.status?.phase;
const condition = (name: string, type: string) =>
  bed.pod(name)?.status?.conditions?.find((candidate) => candidate.type === type);
const pidOf = (name: string) =>
  Number(bed.pod(name)?.status?.containerStatuses?.[0]?.containerID?.split('//')[1]);

describe('a container that ends', () => {
  test('with code 0 and restartPolicy Never makes the pod Succeeded', async () => {
    bed.runPod('once', {
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: 'show:1', args: ['hello'] }],
    });
    await until(
      'phase Succeeded',
      () => phase('once') === 'Succeeded',
      () => bed.pod('once'),
    );
    expect(terminated('once')).toMatchObject({ exitCode: 0, reason: 'Completed' });
    expect(await bed.logs('once')).toBe('hello\n');
    expect(condition('once', 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' });
  });

  test('with another code says so, with the message that it wrote', async () => {
    bed.runPod('bad', {
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: 'fail', args: ['3', 'no such model'] }],
    });
    await until(
      'phase Failed',
      () => phase('bad') === 'Failed',
      () => bed.pod('bad'),
    );
    expect(terminated('bad')).toMatchObject({ exitCode: 3, reason: 'Error', message: 'no such model' });
  });

  test('without a message gives the end of its log when FallbackToLogsOnError', async () => {
    bed.runPod('fallback', {
      restartPolicy: 'Never',
      containers: [
        { name: 'c', image: 'fail', args: ['4'], terminationMessagePolicy: 'FallbackToLogsOnError' },
      ],
    });
    await until('phase Failed', () => phase('fallback') === 'Failed');
    expect(terminated('fallback')?.message).toContain('with code 4');
  });

  test('again and again gets CrashLoopBackOff, a restart count and its previous log', async () => {
    bed.runPod('loop', { containers: [{ name: 'c', image: 'fail', args: ['1'] }] });
    const status = await until(
      'third start',
      () => {
        const found = bed.pod('loop')?.status?.containerStatuses?.[0];
        return (
          (found?.restartCount ?? 0) >= 2 && found?.state?.waiting?.reason === 'CrashLoopBackOff' && found
        );
      },
      () => bed.pod('loop'),
    );
    expect(status.lastState?.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
    expect(status.state?.waiting?.message).toMatch(
      /^back-off .* restarting failed container=c pod=loop_default\(/,
    );
    expect(phase('loop')).toBe('Running');
    expect(await bed.logs('loop', { previous: true })).toBe('failing now\nwith code 1\n');
    await until('BackOff event counted', () =>
      bed.events('loop').some((event) => event.reason === 'BackOff'),
    );
    bed.cluster.registry.delete(resources.pods, { namespace: 'default', name: 'loop' });
    await until('gone', () => bed.pod('loop') === undefined);
  });

  test('by a signal has code 128 + n', async () => {
    bed.runPod('signalled', { restartPolicy: 'Never', containers: [{ name: 'c', image: 'stubborn' }] });
    await until('running', () => phase('signalled') === 'Running');
    process.kill(pidOf('signalled'), 'SIGKILL');
    await until('failed', () => phase('signalled') === 'Failed');
    expect(terminated('signalled')).toMatchObject({ exitCode: 137, reason: 'Error' });
  });

  test('over its memory limit is OOMKilled', async () => {
    bed.runPod('hungry', {
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: 'hungry', resources: { limits: { memory: '150Mi' } } }],
    });
    await until(
      'failed',
      () => phase('hungry') === 'Failed',
      () => bed.pod('hungry'),
    );
    expect(terminated('hungry')).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });
});

test('an image that nobody mapped waits as ErrImagePull, then ImagePullBackOff', async () => {
  bed.runPod('unknown', { containers: [{ name: 'c', image: 'example.com/none:1' }] });
  const seen = new Set<string>();
  await until('both reasons', () => {
    const reason = bed.pod('unknown')?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
    if (reason !== undefined) seen.add(reason);
    return seen.has('ErrImagePull') && seen.has('ImagePullBackOff');
  });
  expect(phase('unknown')).toBe('Pending');
  bed.cluster.registry.delete(
    resources.pods,
    { namespace: 'default', name: 'unknown' },
    { gracePeriodSeconds: 0 },
  );
  await until('gone', () => bed.pod('unknown') === undefined);
});

describe('init containers', () => {
  test('run in order before the others and share volumes with them', async () => {
    bed.runPod('init', {
      restartPolicy: 'Never',
      volumes: [{ name: 'work', emptyDir: {} }],
      initContainers: [
        {
          name: 'first',
          image: 'show',
          command: ['/bin/sh', '-c', 'echo one > $FILE'],
          env: [{ name: 'FILE', value: '/work/file' }],
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
        {
          name: 'second',
          image: 'show',
          command: ['/bin/sh', '-c', 'echo two >> $FILE; printf said > $BALLAST_TERMINATION_LOG'],
          env: [{ name: 'FILE', value: '/work/file' }],
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
      ],
      containers: [
        { name: 'c', image: 'show', args: ['/in/file'], volumeMounts: [{ name: 'work', mountPath: '/in' }] },
      ],
    });
    await until(
      'done',
      () => phase('init') === 'Succeeded',
      () => bed.pod('init'),
    );
    expect(await bed.logs('init')).toBe('one\ntwo\n\n');
    expect(bed.pod('init')?.status?.initContainerStatuses?.[1]?.state?.terminated).toMatchObject({
      exitCode: 0,
      message: 'said',
    });
    expect(condition('init', 'Initialized')?.status).toBe('True');
  });

  test('that fail keep the pod Pending and are started again', async () => {
    bed.runPod('init-bad', {
      initContainers: [{ name: 'first', image: 'fail', args: ['5', 'digest moved'] }],
      containers: [{ name: 'c', image: 'web' }],
    });
    const status = await until('two starts', () => {
      const found = bed.pod('init-bad')?.status?.initContainerStatuses?.[0];
      return (found?.restartCount ?? 0) >= 1 && found?.lastState?.terminated !== undefined && found;
    });
    expect(status.lastState?.terminated).toMatchObject({ exitCode: 5, message: 'digest moved' });
    expect(phase('init-bad')).toBe('Pending');
    expect(condition('init-bad', 'Initialized')).toMatchObject({
      status: 'False',
      message: 'containers with incomplete status: [first]',
    });
    expect(bed.pod('init-bad')?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe(
      'PodInitializing',
    );
    bed.cluster.registry.delete(resources.pods, { namespace: 'default', name: 'init-bad' });
    await until('gone', () => bed.pod('init-bad') === undefined);
  });
});

describe('deleting a pod', () => {
  test('sends SIGTERM, waits for the end, and leaves no process, folder or object', async () => {
    bed.runPod('polite', { containers: [{ name: 'c', image: 'web', ports: [{ containerPort: 8080 }] }] });
    await until('ready', () => condition('polite', 'Ready')?.status === 'True');
    const pid = pidOf('polite');
    const uid = bed.pod('polite')?.metadata.uid ?? '';
    expect(existsSync(join(bed.folder, 'state/run/pods', uid))).toBe(true);
    bed.cluster.registry.delete(resources.pods, { namespace: 'default', name: 'polite' });
    expect(bed.pod('polite')?.metadata.deletionTimestamp).toBeDefined();
    await until('gone', () => bed.pod('polite') === undefined);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(join(bed.folder, 'state/run/pods', uid))).toBe(false);
    expect(readdirSync(join(bed.folder, 'state/run/pids'))).not.toContain(String(pid));
  });

  test('kills a process that ignores SIGTERM when the grace period is over, with its children', async () => {
    bed.runPod('stubborn', { containers: [{ name: 'c', image: 'parent' }] });
    const child = await until('child', () => {
      const log = bed.pod('stubborn') === undefined ? undefined : bed.pod('stubborn');
      return log?.status?.containerStatuses?.[0]?.state?.running !== undefined && log;
    });
    expect(child).toBeDefined();
    const line = await waitForLog('stubborn', /child (\d+)/);
    const childPid = Number(line[1]);
    bed.cluster.registry.delete(resources.pods, { namespace: 'default', name: 'stubborn' });
    await until('gone', () => bed.pod('stubborn') === undefined);
    await until('no child', () => !isAlive(childPid));
  });

  test('by force removes object and process at once', async () => {
    bed.runPod('forced', {
      terminationGracePeriodSeconds: 60,
      containers: [{ name: 'c', image: 'stubborn' }],
    });
    await bed.hears('forced', 'started');
    const pid = pidOf('forced');
    bed.cluster.registry.delete(
      resources.pods,
      { namespace: 'default', name: 'forced' },
      { gracePeriodSeconds: 0 },
    );
    expect(bed.pod('forced')).toBeUndefined();
    await until('no process', () => !isAlive(pid));
  });

  test('runs preStop before SIGTERM', async () => {
    bed.runPod('hooked', {
      terminationGracePeriodSeconds: 5,
      volumes: [{ name: 'out', hostPath: { path: bed.folder } } as never],
      containers: [
        {
          name: 'c',
          image: 'web',
          volumeMounts: [{ name: 'out', mountPath: '/out' }],
          lifecycle: { preStop: { exec: { command: ['/bin/cp', '/etc/hostname', '/out/hook-ran'] } } },
        },
      ],
    });
    await until('running', () => phase('hooked') === 'Running');
    bed.cluster.registry.delete(resources.pods, { namespace: 'default', name: 'hooked' });
    await until('gone', () => bed.pod('hooked') === undefined);
    expect(existsSync(join(bed.folder, 'hook-ran'))).toBe(true);
  });
});

async function waitForLog(name: string, pattern: RegExp): Promise<RegExpExecArray> {
  let text = '';
  const endMs = performance.now() + 10_000;
  while (performance.now() < endMs) {
    text = await bed.logs(name).catch(() => '');
    const match = pattern.exec(text);
    if (match !== null) return match;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no ${pattern} in the log of ${name}: ${text}`);
}

describe('probes', () => {
  const web = { name: 'c', image: 'web', ports: [{ name: 'http', containerPort: 8080 }] };
  const ask = (name: string, path: string) =>
    fetch(`http://${bed.pod(name)?.status?.podIP}:8080${path}`, { headers: { connection: 'close' } }).then(
      (r) => r.text(),
    );

  test('readiness follows the answers, with an event that quotes the failure', async () => {
    bed.runPod('probed', {
      containers: [
        {
          ...web,
          readinessProbe: {
            httpGet: { port: 'http', path: '/ready' },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        },
      ],
    });
    await until('ready', () => condition('probed', 'Ready')?.status === 'True');
    await ask('probed', '/fail');
    await until('unready', () => condition('probed', 'Ready')?.status === 'False');
    expect(condition('probed', 'Ready')).toMatchObject({
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [c]',
    });
    expect(bed.events('probed').map((event) => event.message)).toContain(
      'Readiness probe failed: HTTP probe failed with statuscode: 503',
    );
    await ask('probed', '/heal');
    await until('ready again', () => condition('probed', 'Ready')?.status === 'True');
    expect(bed.pod('probed')?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  test('liveness restarts the container', async () => {
    bed.runPod('mortal', {
      containers: [
        {
          ...web,
          livenessProbe: {
            httpGet: { port: 8080, path: '/ready' },
            initialDelaySeconds: 1,
            periodSeconds: 1,
            failureThreshold: 1,
          },
        },
      ],
    });
    await until('running', () => phase('mortal') === 'Running');
    await until('listening', () => condition('mortal', 'Ready')?.status === 'True');
    await waitForLog('mortal', /listening/);
    await ask('mortal', '/fail');
    await until(
      'restarted',
      () => (bed.pod('mortal')?.status?.containerStatuses?.[0]?.restartCount ?? 0) === 1,
    );
    expect(bed.events('mortal').map((event) => event.message)).toContain(
      'Container c failed liveness probe, will be restarted',
    );
  });

  test('exec probes run in the container’s environment; a startup probe holds readiness back', async () => {
    bed.runPod('started', {
      volumes: [{ name: 'work', emptyDir: {} }],
      containers: [
        {
          name: 'c',
          image: 'show',
          command: ['/bin/sh', '-c', 'sleep 0.3; touch $F; exec sleep 100'],
          env: [{ name: 'F', value: '/work/up' }],
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
          startupProbe: { exec: { command: ['/bin/sh', '-c', 'test -e $F'] }, periodSeconds: 1 },
          readinessProbe: { exec: { command: ['/bin/ls', '/work/up'] }, periodSeconds: 1 },
        },
      ],
    });
    await until('running', () => phase('started') === 'Running');
    expect(bed.pod('started')?.status?.containerStatuses?.[0]).toMatchObject({
      started: false,
      ready: false,
    });
    await until(
      'ready',
      () => condition('started', 'Ready')?.status === 'True',
      () => bed.pod('started'),
    );
    expect(bed.pod('started')?.status?.containerStatuses?.[0]?.started).toBe(true);
  });
});

/** Each image's process as Kubernetes runs it: user 65532, read-only root, no shell, no capability, PID 1. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exitCodes, podPaths } from '../../../crds/constants.ts';
import type { Deployment } from '../../../kube/objects.ts';
import { defaultGatewayResources, gatewayChildren } from '../../../operator/model/gateway/children.ts';
import { unpackLayers } from './archive.ts';
import { type Container, logged, startContainer } from './container.ts';
import { buildLimitMs, type Fixture, openFixture, requireRunc, root } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  requireRunc();
  fixture = await openFixture();
  for (const name of ['operator', 'inferencePod'] as const)
    unpackLayers(fixture[name], join(fixture.folder, `${name}-root`));
}, buildLimitMs);
afterAll(() => fixture?.close());

const operator = (...args: string[]) =>
  startContainer({
    folder: fixture.folder,
    rootfs: join(fixture.folder, 'operator-root'),
    image: fixture.operator.config,
    args,
  });

describe('the operator', () => {
  test('says which setting it does not know', async () => {
    const container = operator('--nonsense');
    expect(await container.ended).toBe(2);
    expect(container.log()).toMatch(/^ballast-operator: unknown flag --nonsense; known are --kubeconfig, /);
  });

  test('says that it finds no cluster, in a log that a person can read', async () => {
    const container = operator();
    expect(await container.ended).not.toBe(0);
    expect(container.log()).toContain('no way to the API server: name a kubeconfig, or run inside a cluster');
    expect(container.log().length).toBeLessThan(2_000);
  });
});

describe('the gateway, in the operator’s image', () => {
  /** As its Deployment starts it, with the flags for its memory. */
  const gateway = (env: Record<string, string> = {}) => {
    const settings = { image: 'x', replicas: 2, resources: defaultGatewayResources };
    const made = gatewayChildren('shop', 'uid', settings).find(({ kind }) => kind === 'deployments');
    const deployment = made?.object as Deployment | undefined;
    const command = deployment?.spec.template.spec.containers[0]?.command ?? [];
    const { config } = fixture.operator;
    return startContainer({
      folder: fixture.folder,
      rootfs: join(fixture.folder, 'operator-root'),
      image: {
        ...config,
        config: { ...config.config, Entrypoint: command },
      },
      args: [],
      env,
    });
  };

  test('says that it finds no cluster', async () => {
    const container = gateway();
    expect(await container.ended).toBe(2);
    expect(container.log()).toMatch(/^ballast-gateway: no way to the API server/);
  });

  test('says which variable it does not know', async () => {
    const container = gateway({ BALLAST_GATEWAY_NONSENSE: '1' });
    expect(await container.ended).toBe(2);
    expect(container.log()).toMatch(
      /^ballast-gateway: unknown variable BALLAST_GATEWAY_NONSENSE; known are /,
    );
  });
});

interface Pod {
  readonly model: string;
  readonly termination: string;
  start(command: 'fetch' | 'serve', env?: Record<string, string>): Container;
}

/** The volumes of one pod, as the kubelet would make them. */
function makePod(sample: string, env: Record<string, string> = {}): Pod {
  const folder = join(fixture.folder, `pod-${sample}-${Math.random().toString(36).slice(2, 8)}`);
  const model = join(folder, 'model');
  const config = join(folder, 'config');
  const termination = join(folder, 'termination');
  mkdirSync(model, { recursive: true, mode: 0o777 });
  mkdirSync(config);
  writeFileSync(termination, '', { mode: 0o666 });
  // The umask took a part of the mode away.
  for (const path of [model, termination]) chmodSync(path, 0o777);
  return {
    model,
    termination,
    start: (command, more = {}) =>
      startContainer({
        folder: fixture.folder,
        rootfs: join(fixture.folder, 'inferencePod-root'),
        image: fixture.inferencePod.config,
        args: [command],
        env: {
          BALLAST_MODEL_NAME: sample,
          BALLAST_LISTEN_HOST: '127.0.0.1',
          BALLAST_HTTP_PORT: '0',
          BALLAST_OPS_PORT: '0',
          BALLAST_DRAIN_DELAY_MS: '0',
          ...(command === 'fetch' ? { BALLAST_MODEL_URI: `file:///samples/${sample}/model.onnx` } : {}),
          ...env,
          ...more,
        },
        mounts: {
          [podPaths.model]: model,
          [podPaths.config]: config,
          [podPaths.terminationLog]: termination,
        },
        writable: [podPaths.terminationLog, ...(command === 'fetch' ? [podPaths.model] : [])],
      }),
  };
}

/** Fetches and serves a sample; resolves when the pod is ready. */
async function serveSample(sample: string, env: Record<string, string> = {}) {
  const pod = makePod(sample);
  const fetched = pod.start('fetch');
  expect([await fetched.ended, fetched.log()]).toEqual([exitCodes.ok, expect.stringContaining('"fetched"')]);
  const startMs = performance.now();
  const container = pod.start('serve', env);
  const [, port] = await logged(container, /"httpPort":(\d+)/);
  return { pod, container, startMs, url: `http://127.0.0.1:${port}/v2/models/${sample}` };
}

const readSample = (sample: string, file: string) =>
  readFileSync(join(root, 'samples', sample, file), 'utf8');

describe('the inference pod', () => {
  test.each(['wine', 'digits', 'penguins', 'digit-images'])(
    'fetches and serves %s with the golden answer',
    async (sample) => {
      const { container, startMs, url } = await serveSample(sample);
      await logged(container, /"message":"ready"/);
      const readyMs = Math.round(performance.now() - startMs);
      const answer = await fetch(`${url}/infer`, {
        method: 'POST',
        body: readSample(sample, 'golden/request.json'),
      });
      expect(answer.status).toBe(200);
      expect(outputsOf(await answer.json())).toEqual(
        outputsOf(JSON.parse(readSample(sample, 'golden/response.json'))),
      );
      container.kill('TERM');
      expect(await container.ended).toBe(exitCodes.ok);
      process.stderr.write(`${sample}: container start to ready ${readyMs} ms\n`);
    },
  );

  test('can write nowhere, has no shell, no other user and an empty working directory', async () => {
    const { container, pod } = await serveSample('wine');
    await logged(container, /"message":"ready"/);
    const node = (script: string) => container.exec('/nodejs/bin/node', '-e', script);
    const writes = [
      '/x',
      '/app/x',
      '/app/inference-pod.mjs',
      '/empty/x',
      '/tmp/x',
      '/samples/wine/model.onnx',
      `${podPaths.model}/x`,
    ];
    const { said } = node(`for (const path of ${JSON.stringify(writes)})
      try { fs.writeFileSync(path, ''); console.log(path, 'written') } catch (e) { console.log(path, e.code) }`);
    expect(said.trim().split('\n')).toEqual(writes.map((path) => `${path} EROFS`));
    const status = node(
      `console.log(fs.readFileSync('/proc/1/status', 'utf8'), fs.readlinkSync('/proc/1/cwd'), fs.readdirSync('.'))`,
    );
    expect(status.said).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
    expect(status.said).toMatch(/^CapEff:\t0+$/m);
    expect(status.said).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status.said).toContain('/empty []');
    // What abort() would write to a disk: nothing, or headers only.
    const core = node(
      `console.log(/^Max core file size +(\\S+)/m.exec(fs.readFileSync('/proc/1/limits', 'utf8'))[1],
        fs.readFileSync('/proc/1/coredump_filter', 'utf8'))`,
    );
    expect(core.said).toMatch(/^(0 |\S+ 00000000)/);
    for (const shell of ['/bin/sh', '/bin/bash', 'npm'])
      expect(container.exec(shell)).toMatchObject({
        status: 255,
        said: expect.stringMatching(/no such file|not found/),
      });
    container.kill('TERM');
    await container.ended;
    expect(readdirSync(pod.model).sort()).toEqual(['manifest.json', 'model.onnx']);
  });

  test('ends itself as PID 1 when it is over its memory, and says why', async () => {
    const { container, pod } = await serveSample('wine', {
      BALLAST_MEMORY_LIMIT_BYTES: String(50 * 2 ** 20),
    });
    // PID 1 is spared its own SIGABRT; abort() then executes an instruction that is a fault, which nothing is spared.
    expect([128 + 6, 128 + 11, 128 + 5]).toContain(await container.ended);
    expect(JSON.parse(readFileSync(pod.termination, 'utf8'))).toMatchObject({
      reason: 'MemoryExceeded',
    });
  });

  test('says which variable it does not know', async () => {
    const pod = makePod('wine');
    const container = pod.start('serve', { BALLAST_NONSENSE: '1' });
    expect(await container.ended).toBe(exitCodes.config);
    expect(JSON.parse(readFileSync(pod.termination, 'utf8'))).toEqual({
      reason: 'ConfigInvalid',
      message: 'BALLAST_NONSENSE is not a variable of the inference pod',
    });
  });

  test('reads no file outside the roots of the image', async () => {
    const pod = makePod('wine');
    const container = pod.start('fetch', { BALLAST_MODEL_URI: 'file:///app/operator.mjs' });
    expect(await container.ended).toBe(exitCodes.modelUnavailable);
    expect(readdirSync(pod.model)).toEqual([]);
  });
});

/** Outputs of an answer with numbers rounded: the last bits depend on the processor. */
function outputsOf(answer: unknown): unknown {
  const { outputs } = answer as { outputs: { name: string; shape: number[]; data: (number | string)[] }[] };
  return outputs.map(({ name, shape, data }) => ({
    name,
    shape,
    data: data.map((value) => (typeof value === 'number' ? Number(value.toFixed(4)) : value)),
  }));
}

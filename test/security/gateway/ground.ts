/** A gateway process with three models: one whose clients attack, one whose pods misbehave, one whose client does nothing wrong. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cores, freePorts, waitedForCpuMs } from '../../../bench/gateway/processes.ts';
import { cpuSecondsOf } from '../../../bench/operator/processes.ts';
import type { PodAddress } from '../../../gateway/balance/address.ts';
import { routesOf, startNamespace } from '../../../gateway/testing/namespace.ts';
import { ask } from '../../../gateway/testing/rig.ts';
import { classifier } from '../../../inference-pod/testing/models.ts';
import { gatewayNodeFlags } from '../../../operator/model/gateway/children.ts';
import {
  type Ground,
  memoryLimitMb,
  memoryOf,
  pause,
  startGround,
  type Target,
  targetOf,
} from '../ground.ts';
import type { LongestTurn } from './turn-watch.ts';

/** One gateway process. */
export interface GatewayProcess {
  readonly host: string;
  readonly ops: number;
  rssMb(): number;
  peakMb(): number;
  cpuSeconds(): number;
  /** How long it has waited for a processor. */
  waitedMs(): number;
  /** The longest turn of its event loop since this was asked last; NaN once it has ended. */
  longestTurn(): Promise<LongestTurn>;
  /** What it logged; its exit code when it ended. */
  log(): string;
  exitCode(): number | null;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface GatewayGround {
  readonly gateway: GatewayProcess;
  /** The same routes on another address: nobody attacks it. */
  readonly idle: GatewayProcess;
  readonly attacked: Target;
  /** Ports of the models, the same at both gateways. */
  readonly ports: Readonly<Record<'attacked' | 'hostile' | 'honest', number>>;
  /** What the gateway says of a model. */
  load(model: string): Promise<Record<string, unknown>>;
  setHostilePods(pods: readonly PodAddress[]): Promise<void>;
  close(): Promise<void>;
}

/** All threads of this process, and what it starts from here on, leave the gateway's core to it: attackers must cost it no turns. */
const leaveCore = () => {
  const { status } = spawnSync('taskset', ['-a', '-p', '-c', cores.others, String(process.pid)]);
  if (status !== 0) throw new Error('taskset is needed, and two processors: the gateway has one of its own');
};

const startGateway = async (kubeconfig: string, host: string, core: string): Promise<GatewayProcess> => {
  const [ops = 0] = await freePorts(1);
  const child: ChildProcess = spawn(
    'taskset',
    [
      '-c',
      core,
      process.execPath,
      ...gatewayNodeFlags(`${memoryLimitMb}Mi`),
      '--import',
      join(import.meta.dirname, 'turn-watch.ts'),
      join(import.meta.dirname, '../../../gateway/main.ts'),
    ],
    {
      env: {
        PATH: process.env.PATH ?? '',
        MALLOC_ARENA_MAX: '2',
        KUBECONFIG: kubeconfig,
        BALLAST_LISTEN_HOST: host,
        BALLAST_OPS_PORT: String(ops),
        BALLAST_MEMORY_LIMIT_BYTES: String(memoryLimitMb * 2 ** 20),
        BALLAST_GATEWAY_DRAIN_DELAY_MS: '200',
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-1_000_000);
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const memory = memoryOf(child.pid ?? 0);
  return {
    host,
    ops,
    rssMb: memory.rssMb,
    peakMb: memory.peakMb,
    cpuSeconds: () => cpuSecondsOf(child.pid ?? 0),
    waitedMs: () => waitedForCpuMs(child.pid ?? 0),
    longestTurn: () =>
      new Promise((resolve) => {
        const onEnd = () => resolve({ cpuMs: Number.NaN, wallMs: Number.NaN });
        if (!child.connected) {
          onEnd();
          return;
        }
        child.once('disconnect', onEnd);
        child.once('message', (turn: LongestTurn) => {
          child.off('disconnect', onEnd);
          resolve(turn);
        });
        child.send('longest turn');
      }),
    log: () => text,
    exitCode: () => child.exitCode,
    kill: async (signal) => {
      memory.close();
      child.kill(signal);
      await exited;
    },
  };
};

const addressOf = (name: string, { http, grpc, ops }: { http: number; grpc: number; ops: number }) => {
  const at = (port: number) => ({ host: '127.0.0.1', port });
  return { key: name, name, http: at(http), grpc: at(grpc), ops: at(ops), ready: true };
};

/** Starts it all: an API server, two gateways, a pod process for each of two models. */
export const startGatewayGround = async (): Promise<GatewayGround> => {
  leaveCore();
  const world = await startNamespace();
  const directory = mkdtempSync(join(tmpdir(), 'ballast-gateway-'));
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
      clusters: [{ name: 'c', cluster: { server: world.server.url } }],
      users: [{ name: 'u', user: { token: world.server.token } }],
    }),
  );
  const pods: Ground[] = await Promise.all([startGround(classifier()), startGround(classifier())]);
  const [attacked = 0, hostile = 0, honest = 0] = await freePorts(3);
  const ports = { attacked, hostile, honest };
  for (const [i, [model, port]] of Object.entries(ports).entries()) {
    const service = `${model}-a`;
    const ground = model === 'hostile' ? undefined : pods[i === 0 ? 0 : 1];
    if (ground !== undefined) {
      const { grpc } = await ground.pod.ports();
      await world.setPods(service, [addressOf(model, { http: ground.http, grpc, ops: ground.ops })]);
    }
    await world.setRoutes(
      routesOf(port, {
        model,
        backends: [{ revision: 'a', service, deployment: service, weight: 1 }],
        timeoutMs: model === 'hostile' ? 1_000 : 5_000,
      }),
      `${model}-routes`,
    );
  }
  const [gateway, idle] = await Promise.all([
    startGateway(kubeconfig, '127.0.0.1', cores.hop),
    startGateway(kubeconfig, '127.0.0.2', cores.others),
  ]);
  const target = targetOf(attacked, gateway.ops);
  const ground: GatewayGround = {
    gateway,
    idle,
    attacked: target,
    ports,
    load: async (model) => {
      // On a connection of its own: a kept one may be among those that give way to an attack.
      const { body } = await ask(gateway.ops, { method: 'GET', path: '/load', body: '' });
      const { models } = JSON.parse(body) as { models: ({ model: string } & Record<string, unknown>)[] };
      return models.find((one) => one.model === model) ?? {};
    },
    setHostilePods: (addresses) => world.setPods('hostile-a', addresses),
    close: async () => {
      target.close();
      await Promise.all([gateway.kill('SIGKILL'), idle.kill('SIGKILL')]);
      await Promise.all(pods.map((pod) => pod.close()));
      await world.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  for (const { host } of [gateway, idle])
    for (const model of ['attacked', 'honest'] as const) {
      const body = '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';
      const url = `http://${host}:${ports[model]}/v2/models/m/infer`;
      for (;;) {
        const answer = await fetch(url, { method: 'POST', body }).catch(() => undefined);
        if (answer?.status === 200) break;
        if (gateway.exitCode() !== null || idle.exitCode() !== null)
          throw new Error(`a gateway ended:\n${gateway.log()}${idle.log()}`);
        await pause(20);
      }
    }
  return ground;
};

/** From the first request for a model that sleeps to the raised scale of its Deployment, on the embedded API server. */
import { parseConfig } from '../../gateway/config.ts';
import { Gateway } from '../../gateway/gateway.ts';
import { namespace, routesOf, startNamespace } from '../../gateway/testing/namespace.ts';
import { ask } from '../../gateway/testing/rig.ts';
import { noLog } from '../../kube/log.ts';
import { freePorts, waitedForCpuMs } from './processes.ts';

export interface WakeFigures {
  readonly models: number;
  readonly medianMs: number;
  readonly longestMs: number;
  /** Share of the time in which this process, API server and gateway and client in one, waited for a processor. */
  readonly waited: number;
}

/** Wakes so many models, one after the other. */
export async function measureWake(models: number): Promise<WakeFigures> {
  const world = await startNamespace();
  const config = { ...parseConfig({}), listenHost: '127.0.0.1', opsPort: 0 };
  const gateway = new Gateway({ config, api: world.client, namespace, log: noLog });
  const tookMs: number[] = [];
  const waitedBefore = waitedForCpuMs(process.pid);
  const beganMs = performance.now();
  try {
    await gateway.start();
    for (const [index, port] of (await freePorts(models)).entries()) {
      const name = `model-${index}`;
      await world.createDeployment(name, 0);
      await world.setRoutes(
        routesOf(port, {
          model: name,
          backends: [{ revision: 'a', service: name, deployment: name, weight: 1 }],
          wake: { deployment: name, maxHeldRequests: 10, replicas: 1 },
        }),
        `${name}-routes`,
      );
      let isUp = false;
      while (!isUp)
        isUp = await ask(port, { method: 'GET', path: '/v2/health/live' }).then(
          () => true,
          () => false,
        );
      const fromMs = performance.now();
      const answer = ask(port).catch(() => undefined);
      while ((await world.replicasOf(name)) === 0);
      tookMs.push(performance.now() - fromMs);
      void answer;
    }
  } finally {
    await gateway.stop();
    await world.close();
  }
  const waited = (waitedForCpuMs(process.pid) - waitedBefore) / (performance.now() - beganMs);
  tookMs.sort((a, b) => a - b);
  return {
    models,
    medianMs: tookMs[Math.floor(models / 2)] ?? Number.NaN,
    longestMs: tookMs.at(-1) ?? Number.NaN,
    waited,
  };
}

/** Ballast and the real HorizontalPodAutoscaler, one after the other on the same pods and minutes of a real cluster, beside the simulator's. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { labels } from '../../crds/constants.ts';
import { type Recording, replayed } from '../../simulator/policies/recorded/replayed.ts';
import {
  type Bed,
  chart,
  installValues,
  namespace,
  releaseNamespace,
  startBed,
} from '../../test/kube/e2e/bed.ts';
import { calibrate, machineSentence, wholeStarts } from './calibrate.ts';
import { isReady, until } from './embedded-bed.ts';
import { type LiveOutcome, runLive } from './live-run.ts';
import { installMetricsServer } from './metrics-server.ts';
import type { FidelityOptions } from './options.ts';
import { verdict } from './ranking.ts';
import { compared, type PodMetrics, podMetrics, Recorder } from './recorder.ts';
import { difference, header, liveRow, simulatedRow } from './report.ts';
import { simulate } from './simulated.ts';
import { steadyModel, steadyRequest } from './steady-model.ts';
import { arrivalsMs, minutesOf } from './traffic.ts';

const name = 'steady';
/** A pod may use a whole core; it requests a quarter, so that more pods fit on the nodes than the machine has cores. */
const requestedCores = 0.25;
const meanOf = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const say = (line: string) => console.error(line);

const traffic = ({ path, shed }: FidelityOptions, promised: boolean) => ({
  path,
  ...(promised ? { shedAt: shed } : {}),
});

const labelSelector = `${labels.deployment}=${name}`;

function writeRecording(path: string, { setting, looks }: Recording): void {
  writeFileSync(path, [setting, ...looks].map((one) => `${JSON.stringify(one)}\n`).join(''));
}

/** Replicas that the deployment has now are one and ready. */
const alone = async (bed: Bed) => {
  const pods = await bed.podsOf(name);
  return pods.length === 1 && pods.every(isReady);
};

async function replays(bed: Bed, options: FidelityOptions): Promise<void> {
  const runtime = {
    batching: { maxSize: 1 },
    resources: { requests: { cpu: `${1_000 * requestedCores}m` }, limits: { cpu: '1' } },
  };
  const model = { uri: `${bed.server.url}/steady.onnx` };
  const common = { model, runtime };
  const fixed = (replicas: number) =>
    bed.model(name, {
      ...common,
      scaling: { mode: 'Fixed', replicas },
      traffic: traffic(options, false),
    });
  await fixed(1);
  await bed.untilReady(name, 180_000);
  await bed.infer(name, steadyRequest);
  const url = `${await bed.urlOf(name)}/infer`;
  const pods = () => bed.podsOf(name);
  const measured = await calibrate({
    url,
    model: name,
    body: steadyRequest,
    pods,
    scale: fixed,
    requests: 200,
    starts: 3,
  });
  const service = meanOf(measured.service);
  const sloMs = Math.round(1_000 * service * options.promise);
  const trace = minutesOf(options.trace, options.from, options.minutes, options.peak, service);
  const seconds = options.minutes * 60;
  console.log(
    `service ${(1_000 * service).toFixed(1)} ms, a pod is there ${meanOf(measured.reaction).toFixed(2)} s after it was asked for, ready after ${meanOf(measured.startup).toFixed(1)} s and gone after ${measured.drainSeconds.toFixed(1)} s, p99 promised within ${sloMs} ms, ${options.path}, shedAt ${options.shed}\n${machineSentence(measured)}`,
  );
  const arrivals = arrivalsMs(trace, 1);
  const replay = (policy: string) =>
    runLive({
      policy,
      url,
      body: steadyRequest,
      arrivalsMs: arrivals,
      seconds,
      sloMs,
      timeoutMs: Math.max(1_000, 10 * sloMs),
      allowRemote: true,
      pods,
    });

  const sla = { latency: { p99: `${sloMs}ms` } };
  const limits = { minReplicas: 1, maxReplicas: options.max };
  const promised = { ...common, sla, traffic: traffic(options, true) };
  await bed.model(name, { ...promised, scaling: { mode: 'SLA', ...limits } });
  await until('one replica', () => alone(bed));
  const ours = await replay('ballast');
  say(`ballast: ${JSON.stringify(ours)}`);

  await fixed(1);
  await until('one replica again', () => alone(bed));
  await bed.model(name, { ...promised, scaling: { mode: 'External', replicas: 1 } });
  const recorder = new Recorder({
    pods,
    metrics: async () => (await bed.api.list<PodMetrics>(podMetrics, { namespace, labelSelector })).items,
    replicas: async () => (await bed.read(name)).spec.scaling?.replicas ?? 1,
  });
  await bed.apply({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: 'ballast.dev/v1alpha1', kind: 'ModelDeployment', name },
      ...limits,
      // Without it the controller follows older rules (up to max(2N, 4) at once); the simulator's has it.
      behavior: { scaleUp: { stabilizationWindowSeconds: 0 } },
      metrics: [
        {
          type: 'Resource',
          resource: {
            name: 'cpu',
            target: { type: 'Utilization', averageUtilization: Math.round(options.hpa / requestedCores) },
          },
        },
      ],
    },
  });
  // It looks each 15 s; metrics-server has two samples of a pod after 30 s.
  await until(
    'the HorizontalPodAutoscaler reads CPU',
    async () =>
      (await bed.kubectl('get', 'hpa', name, '-n', 'models', '-o', 'json')).includes('"averageUtilization"'),
    180_000,
  );
  await until('one replica under it', () => alone(bed), 400_000);
  const hpa = await replay('hpa');
  say(`hpa: ${JSON.stringify(hpa)}`);
  const recording = await recorder.stop(
    {
      scenario: 'a real cluster',
      target: Math.round(options.hpa / requestedCores),
      request: 1_000 * requestedCores,
      min: limits.minReplicas,
      max: limits.maxReplicas,
      behavior: true,
    },
    join(bed.cluster.dir, 'controller-manager.log'),
    `ModelDeployment/${namespace}/${name}`,
  );
  if (options.record !== undefined) writeRecording(options.record, recording);
  const busyCores =
    (recorder.meanMilli(hpa.fromMs, hpa.toMs) * (hpa.toMs - hpa.fromMs)) / 1e6 / hpa.busySeconds;
  say(await bed.kubectl('describe', 'hpa', name, '-n', 'models'));

  const told = {
    trace,
    service: measured.service,
    startup: wholeStarts(measured),
    drainSeconds: measured.drainSeconds,
    sloMs,
    shedAt: options.shed,
    balancing: options.path === 'Gateway' ? ('gateway' as const) : ('random' as const),
    maxReplicas: options.max,
    seeds: options.seeds,
    coresPerBusySlot: measured.coresPerBusySlot,
  };
  const { machine, firstRequests } = measured;
  const ran = (name: string, policy: string, live: LiveOutcome) => ({
    name,
    live,
    simulated: simulate({ ...told, policy, machine, firstRequests }),
    own: simulate({ ...told, policy }),
    stretch: live.serviceSeconds / measured.podServiceSeconds,
  });
  const first = ran('Ballast', 'ballast', ours);
  const second = ran(`HorizontalPodAutoscaler at ${options.hpa} %`, `hpa-cpu${options.hpa}`, hpa);
  console.log(`\n${header}`);
  for (const one of [first, second]) {
    console.log(liveRow(`${one.name}, real`, one.live, measured.podServiceSeconds));
    console.log(simulatedRow('  simulated, one machine for all', one.simulated));
    console.log(simulatedRow('  simulated, each pod with a core of its own', one.own));
    const used = one.live.coresInUse === undefined ? '' : `; ${one.live.coresInUse.toFixed(2)} cores in use`;
    console.log(`  ${difference(one.live, one.simulated)}${used}`);
  }
  for (const line of verdict(first, second)) console.log(`  ${line}`);
  console.log(
    `  a busy pod used ${busyCores.toFixed(2)} cores, ${measured.coresPerBusySlot.toFixed(2)} of the time that a client waits before the run`,
  );
  for (const line of compared(recording, replayed(recording))) console.log(`  ${line}`);
  if (options.json) console.log(JSON.stringify({ options, sloMs, measured, ours, hpa, first, second }));
}

/** Installs the chart for the models' namespace; models come from the bed's own server. */
async function install(bed: Bed): Promise<void> {
  const { server, helm } = bed;
  const values = [...installValues, `defaults.allowModelCidrs={${new URL(server.url).hostname}/32}`];
  const sets = values.flatMap((value) => ['--set', value]);
  const authority = ['--set-file', `privateCA.pem=${server.authority}`];
  await helm(['install', 'ballast', chart, '--namespace', releaseNamespace, ...sets, ...authority]);
}

/** Starts the cluster, installs Ballast by its chart and metrics-server, and replays. */
export async function runKube(options: FidelityOptions): Promise<void> {
  const folder = join(import.meta.dirname, '../../.ballast/fidelity-models');
  mkdirSync(folder, { recursive: true });
  const model = steadyModel(folder, options.steps);
  const bed = await startBed(say, { '/steady.onnx': readFileSync(model.path) });
  try {
    await install(bed);
    await installMetricsServer(bed);
    await replays(bed, options);
  } finally {
    await bed.stop();
  }
}

/** `npm run bench:fidelity`: is the simulator true? Real pods and the simulator on the same minutes of a trace. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { quantiles } from '../autoscaling/measured.ts';
import { calibrate, machineSentence, wholeStarts } from './calibrate.ts';
import { isReady, startEmbeddedBed, until } from './embedded-bed.ts';
import { runLive } from './live-run.ts';
import { type FidelityOptions, help, readOptions } from './options.ts';
import { difference, header, liveRow, simulatedRow } from './report.ts';
import { simulate } from './simulated.ts';
import { steadyModel, steadyRequest } from './steady-model.ts';
import { arrivalsMs, minutesOf } from './traffic.ts';

const name = 'steady';
const meanOf = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const ms = (seconds: number) => `${(1_000 * seconds).toFixed(1)} ms`;

async function run(options: FidelityOptions): Promise<void> {
  const folder = join(import.meta.dirname, '../../.ballast/fidelity-models');
  mkdirSync(folder, { recursive: true });
  const model = steadyModel(folder, options.steps);
  const bed = await startEmbeddedBed(folder);
  try {
    const pods = () => bed.pods(name);
    await bed.create(name, `steady-${options.steps}.onnx`, {
      scaling: { mode: 'Fixed', replicas: 1 },
      runtime: {
        batching: { maxSize: 1 },
        resources: { requests: { cpu: '1' }, limits: { cpu: '1' } },
      },
      traffic: { path: options.path },
    });
    await until('a ready pod', async () => (await pods()).some(isReady));
    if (options.path === 'Gateway')
      await until('the gateway', async () => (await bed.read(name)).status?.traffic?.path === 'Gateway');
    await until('an address', async () => bed.url(name) !== undefined);
    const url = `${bed.url(name)}/v2/models/${name}/infer`;
    const scale = (replicas: number) => bed.patch(name, { scaling: { replicas } });
    const calibration = await calibrate({
      url,
      model: name,
      body: steadyRequest,
      pods,
      scale,
    });
    const { service, podServiceSeconds, startup, reaction, drainSeconds, machine, firstRequests } =
      calibration;
    const serviceMean = meanOf(service);
    console.log(
      `${model.name} on this machine: ${ms(serviceMean)} (p99 ${ms(quantiles(service, 100).at(-1) ?? 0)}) for a client alone, ${ms(podServiceSeconds)} of it in the pod; a pod is there ${meanOf(reaction).toFixed(2)} s after it was asked for, ready after ${meanOf(startup).toFixed(2)} s and gone after ${drainSeconds.toFixed(1)} s\n${machineSentence(calibration)}`,
    );

    const sloMs = Math.round(1_000 * serviceMean * options.promise);
    const timeoutMs = Math.max(1_000, 10 * sloMs);
    const trace = minutesOf(options.trace, options.from, options.minutes, options.peak, serviceMean);
    const seconds = options.minutes * 60;
    const times = arrivalsMs(trace, 1);
    console.log(
      `${options.minutes} minutes, ${(times.length / seconds).toFixed(1)} requests per second on average, p99 promised within ${sloMs} ms, ${options.path}, shedAt ${options.shed}`,
    );
    await bed.patch(name, {
      scaling:
        options.fixed === undefined
          ? { mode: 'SLA', minReplicas: 1, maxReplicas: options.max, replicas: null }
          : { replicas: options.fixed },
      sla: { latency: { p99: `${sloMs}ms` } },
      traffic: { shedAt: options.shed },
    });
    await until(
      'the promise in status',
      async () => {
        const { metadata, status } = await bed.read(name);
        return status?.observedGeneration === metadata.generation;
      },
      30_000,
    );
    if (options.fixed !== undefined)
      await until('the fixed replicas', async () => (await pods()).filter(isReady).length === options.fixed);
    const policy = options.fixed === undefined ? 'ballast' : `static:${options.fixed}`;
    const live = await runLive({
      policy,
      url,
      body: steadyRequest,
      arrivalsMs: times,
      seconds,
      sloMs,
      timeoutMs,
      pods,
    });

    const common = {
      trace,
      startup: wholeStarts({ startup, reaction }),
      drainSeconds,
      initialReplicas: options.fixed ?? 1,
      sloMs,
      shedAt: options.shed,
      // The embedded cluster's Services take their endpoints in turn; a real kube-proxy draws lots.
      balancing: options.path === 'Gateway' ? ('gateway' as const) : ('round-robin' as const),
      maxReplicas: options.max,
      seeds: options.seeds,
    };
    const own = simulate({ ...common, policy, service });
    const shared = simulate({ ...common, policy, service, machine, firstRequests });
    console.log(`\n${header}`);
    console.log(liveRow('real pods, operator and load', live, podServiceSeconds));
    console.log(simulatedRow('simulated, one machine for all', shared));
    console.log(simulatedRow('simulated, each pod with a core of its own', own));
    const used = live.coresInUse === undefined ? '' : `; ${live.coresInUse.toFixed(2)} cores in use`;
    console.log(`\n  ${difference(live, shared)}${used}`);
    const failures = Object.entries(live.errors).map(([kind, count]) => `${count} × ${kind}`);
    console.log(`  not answered 2xx in the real run: ${failures.join(', ') || 'none'}`);
    if (options.json) console.log(JSON.stringify({ options, sloMs, calibration, live, own, shared }));
  } finally {
    await bed.close();
  }
}

let options: FidelityOptions | undefined;
try {
  options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(help);
} catch (error) {
  console.error(`${(error as Error).message}; --help tells the options`);
  process.exitCode = 2;
}
if (options?.kube === true) await (await import('./kube.ts')).runKube(options);
else if (options !== undefined) await run(options);

/** What `helm test` runs, as `operator.mjs chart-test`: a sample ModelDeployment is made, waited for, asked for a prediction and deleted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { modelDeployments } from '../crds/constants.ts';
import type { ModelDeployment } from '../crds/types.ts';
import type { KubeApi } from '../kube/api.ts';
import { loadAuth } from '../kube/auth.ts';
import { createClient } from '../kube/client.ts';
import { type Clock, realClock, sleep } from '../kube/clock.ts';
import { isNotFound } from '../kube/errors.ts';
import { messageOf } from '../kube/log.ts';

export interface ChartTestOptions {
  readonly api: KubeApi;
  /** Namespace that the operator watches. */
  readonly namespace: string;
  /** Name of the ModelDeployment; one that an earlier test left is deleted first. */
  readonly name: string;
  /** Folder with `modeldeployment.yaml`, `request.json` and `response.json`. */
  readonly sample: string;
  readonly say: (line: string) => void;
  readonly clock?: Clock;
  /** Longest time until Ready, and until it is gone, milliseconds. */
  readonly timeoutMs?: number;
  readonly post?: (url: string, body: string) => Promise<{ status: number; text: string }>;
}

interface Answer {
  readonly outputs?: readonly { readonly name: string; readonly data: readonly number[] }[];
}

/** Longest time in which the Service may not lead to the ready pod yet, milliseconds. */
const serviceMs = 30_000;
/** Figures of another processor differ in the last digits. */
const tolerance = 1e-3;

const postJson = async (url: string, body: string) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(10_000),
  });
  return { status: answer.status, text: await answer.text() };
};

/** Runs the test; rejects with a sentence that says what did not happen. The ModelDeployment is deleted in any case. */
export async function runChartTest(options: ChartTestOptions): Promise<void> {
  const { api, namespace, name, sample, say, clock = realClock, timeoutMs = 300_000 } = options;
  const read = (file: string) => readFileSync(join(sample, file), 'utf8');
  const { metadata: _, ...manifest } = load(read('modeldeployment.yaml')) as ModelDeployment;
  const ref = { namespace, name };
  const startMs = clock.monotonicMs();
  const seconds = () => `${((clock.monotonicMs() - startMs) / 1000).toFixed(1)} s`;
  await remove(options, clock, timeoutMs);
  await api.create(modelDeployments, { ...manifest, metadata: ref });
  say(`created ModelDeployment ${namespace}/${name}`);
  try {
    const url = await untilReady(options, clock, timeoutMs);
    say(`Ready after ${seconds()}`);
    await predict(
      options,
      clock,
      `${url}/v2/models/${name}/infer`,
      read('request.json'),
      read('response.json'),
    );
    say(`predicted through ${url} after ${seconds()}`);
  } finally {
    await remove(options, clock, timeoutMs);
  }
  say(`deleted; the test passed in ${seconds()}`);
}

async function untilReady(
  { api, namespace, name }: ChartTestOptions,
  clock: Clock,
  timeoutMs: number,
): Promise<string> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const { metadata, status } = await api.get<ModelDeployment>(modelDeployments, { namespace, name });
    const condition = (type: string) => status?.conditions?.find((one) => one.type === type);
    const ready = condition('Ready');
    if (
      ready?.status === 'True' &&
      status?.observedGeneration === metadata.generation &&
      status.url !== undefined
    )
      return status.url;
    const stalled = condition('Stalled');
    if (stalled?.status === 'True') throw new Error(`the ModelDeployment is stalled: ${stalled.message}`);
    if (clock.monotonicMs() > deadlineMs)
      throw new Error(
        status === undefined
          ? `no operator took the ModelDeployment in ${timeoutMs / 1000} s: does it watch namespace ${namespace}?`
          : `not Ready in ${timeoutMs / 1000} s: ${ready?.message ?? 'no condition Ready'}`,
      );
    await sleep(clock, 500);
  }
}

async function predict(
  { post = postJson }: ChartTestOptions,
  clock: Clock,
  url: string,
  request: string,
  expected: string,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + serviceMs;
  for (;;) {
    let fault: string;
    try {
      const { status, text } = await post(url, request);
      if (status === 200) return compare(JSON.parse(text) as Answer, JSON.parse(expected) as Answer);
      fault = `${status} ${text.slice(0, 300)}`;
    } catch (error) {
      if (error instanceof WrongAnswer) throw error;
      fault = messageOf(error);
    }
    if (clock.monotonicMs() > deadlineMs)
      throw new Error(`no prediction from ${url} in ${serviceMs / 1000} s: ${fault}`);
    await sleep(clock, 500);
  }
}

class WrongAnswer extends Error {}

function compare(answer: Answer, expected: Answer): void {
  for (const { name, data } of expected.outputs ?? []) {
    const got = answer.outputs?.find((output) => output.name === name)?.data;
    const same =
      got?.length === data.length &&
      data.every((value, index) => Math.abs(value - (got[index] ?? Number.NaN)) <= tolerance);
    if (!same)
      throw new WrongAnswer(
        `output ${name} is ${JSON.stringify(got)}, and should be ${JSON.stringify(data)}`,
      );
  }
}

async function remove(
  { api, namespace, name }: ChartTestOptions,
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  try {
    await api.delete(modelDeployments, { namespace, name }, { propagationPolicy: 'Background' });
    for (;;) {
      await api.get(modelDeployments, { namespace, name });
      if (clock.monotonicMs() > deadlineMs)
        throw new Error(`${namespace}/${name} is not gone in ${timeoutMs / 1000} s`);
      await sleep(clock, 500);
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The process: `chart-test NAMESPACE NAME FOLDER` with the pod's service account; returns the exit code. */
export async function main(
  [namespace = '', name = '', sample = '']: readonly string[],
  { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, KUBECONFIG: kubeconfig }: NodeJS.ProcessEnv,
): Promise<number> {
  try {
    const auth = await loadAuth({
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(host === undefined ? {} : { inCluster: { host, ...(port === undefined ? {} : { port }) } }),
    });
    const api = createClient(auth, { userAgent: 'ballast-chart-test' });
    try {
      await runChartTest({ api, namespace, name, sample, say: console.log });
    } finally {
      await api.close();
    }
    return 0;
  } catch (error) {
    console.error(`chart-test: ${messageOf(error)}`);
    return 1;
  }
}

/** The first prediction, and what to try next. */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { request } from 'undici';
import { generatedRequest, sampleRequest } from '../load/request-body.ts';
import type { Narrator } from './narrator.ts';

export interface Tour {
  readonly narrator: Narrator;
  readonly name: string;
  readonly modelUri: string;
  readonly checkout: string;
  readonly stateDir: string;
  readonly kubeconfigPath: string;
  /** kubectl and helm, once they are unpacked. */
  readonly tools: Promise<{ readonly binDir?: string }>;
  /** `http://host:port` of the callers' Service, when something listens. */
  readonly serviceUrl: () => string | undefined;
  readonly stopped: () => boolean;
}

interface Metadata {
  readonly inputs: readonly { name: string; datatype: string; shape: readonly number[] }[];
  readonly outputs: readonly { name: string; datatype: string; shape: readonly number[] }[];
}

const pollMs = 20;
const callTimeoutMs = 5000;

async function answer(url: string, body?: string): Promise<{ status: number; text: string } | undefined> {
  try {
    const response = await request(url, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(callTimeoutMs),
    });
    return { status: response.statusCode, text: await response.body.text() };
  } catch {
    // Nobody listens yet.
    return undefined;
  }
}

/** Waits for an address and a 200 of the model's ready endpoint; undefined when the user stopped first. */
async function whenServing({ name, serviceUrl, stopped }: Tour): Promise<string | undefined> {
  while (!stopped()) {
    const url = serviceUrl();
    if (url !== undefined && (await answer(`${url}/v2/models/${name}/ready`))?.status === 200) return url;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return undefined;
}

const shapeText = (shape: readonly number[]) =>
  `[${shape.map((size) => (size < 0 ? 'any' : size)).join(', ')}]`;

/** Waits for the model, sends the first prediction and prints how to go on. */
export async function showTour(tour: Tour): Promise<void> {
  const { narrator, name, checkout, stateDir, modelUri } = tour;
  const url = await whenServing(tour);
  if (url === undefined) return;
  const modelUrl = `${url}/v2/models/${name}`;
  const sample = sampleRequest(modelUri, checkout);
  const body = sample ?? (await generatedRequest(modelUrl, callTimeoutMs));
  const sentMs = narrator.elapsedMs();
  const first = await answer(`${modelUrl}/infer`, body);
  if (first === undefined || tour.stopped()) return;
  const tookMs = narrator.elapsedMs() - sentMs;
  const why = first.status === 200 ? '' : `: ${first.text.slice(0, 500)}`;
  narrator.step(`first prediction: HTTP ${first.status} in ${tookMs.toFixed(1)} ms${why}`);
  narrator.line();
  const here = (path: string) => relative(checkout, path);
  if (sample === undefined) {
    const metadata = JSON.parse((await answer(modelUrl))?.text ?? '{"inputs":[],"outputs":[]}') as Metadata;
    for (const [what, tensors] of Object.entries({ inputs: metadata.inputs, outputs: metadata.outputs })) {
      narrator.line(`  ${what}`);
      for (const tensor of tensors)
        narrator.line(`    ${tensor.name}  ${tensor.datatype}  ${shapeText(tensor.shape)}`);
    }
    narrator.line();
  }
  const requestFile =
    sample === undefined
      ? join(stateDir, `${name}-request.json`)
      : join(checkout, modelUri.slice('file:///'.length, modelUri.lastIndexOf('/')), 'request.json');
  if (sample === undefined) writeFileSync(requestFile, `${JSON.stringify(JSON.parse(body), null, 2)}\n`);
  const shown = sample === undefined && (await readFile(requestFile, 'utf8')).length < 1500;
  if (shown)
    narrator.line(`  An example request (${here(requestFile)}; put your own numbers in):\n    ${body}\n`);
  const { binDir } = await tour.tools;
  narrator.line(`  kubeconfig  ${here(tour.kubeconfigPath)}`);
  narrator.line(`  model       ${modelUrl}/infer`);
  narrator.line();
  narrator.line('  Try, in a second terminal, in this folder:');
  narrator.line();
  narrator.line(
    `    export KUBECONFIG=$PWD/${here(tour.kubeconfigPath)}${binDir === undefined ? '' : ` PATH=$PWD/${here(binDir)}:$PATH`}`,
  );
  narrator.line(`    curl -s ${modelUrl}/infer -d @${here(requestFile)}`);
  narrator.line(`    npm run load -- ${name} --rps 120 --seconds 30`);
  narrator.line(`    kubectl get md -w`);
  narrator.line();
}

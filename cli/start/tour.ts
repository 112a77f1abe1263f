/** The first prediction, and what to try next. */

import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { request } from 'undici';
import { messageOf } from '../../kube/log.ts';
import { generatedRequest, sampleRequest } from '../load/request-body.ts';
import type { Narrator } from './narrator.ts';
import { tellNextSteps } from './next-steps.ts';

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
/** A model that is not ready by then needs a look: nobody should wait without knowing where. */
const hintAfterMs = 15_000;

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
async function whenServing(tour: Tour): Promise<string | undefined> {
  const { narrator, name, serviceUrl, stopped } = tour;
  const startedMs = narrator.elapsedMs();
  let hinted = false;
  while (!stopped()) {
    const url = serviceUrl();
    if (url !== undefined && (await answer(`${url}/v2/models/${name}/ready`))?.status === 200) return url;
    if (!hinted && narrator.elapsedMs() - startedMs > hintAfterMs) {
      hinted = true;
      narrator.step(`"${name}" is not ready yet; it is waited for, and may be looked at meanwhile`);
      narrator.line();
      const { binDir } = await tour.tools;
      const { checkout, kubeconfigPath } = tour;
      const commands = [`kubectl describe md ${name}`, 'kubectl get pods,events'];
      tellNextSteps({ narrator, checkout, kubeconfigPath, binDir, commands });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return undefined;
}

const shapeText = (shape: readonly number[]) =>
  `[${shape.map((size) => (size < 0 ? 'any' : size)).join(', ')}]`;

/** An example request made from the model's inputs; undefined, and told, where that cannot be done. */
async function madeRequest({ narrator }: Tour, modelUrl: string): Promise<string | undefined> {
  try {
    return await generatedRequest(modelUrl, callTimeoutMs);
  } catch (error) {
    const why = messageOf(error);
    // The model serves all the same; what `npm run load` wants to be given is of no use here.
    narrator.step(`no example request is made: ${why.replace(/: give a request with .*$/, '')}`);
    return undefined;
  }
}

async function predict({ narrator }: Tour, modelUrl: string, body: string): Promise<void> {
  const sentMs = narrator.elapsedMs();
  const first = await answer(`${modelUrl}/infer`, body);
  if (first === undefined) {
    narrator.step(`the first prediction had no answer within ${callTimeoutMs / 1000} s`);
    return;
  }
  const tookMs = narrator.elapsedMs() - sentMs;
  const why = first.status === 200 ? '' : `: ${first.text.slice(0, 500)}`;
  narrator.step(`first prediction: HTTP ${first.status} in ${tookMs.toFixed(1)} ms${why}`);
}

async function showSignature({ narrator }: Tour, modelUrl: string): Promise<void> {
  const metadata = JSON.parse((await answer(modelUrl))?.text ?? '{"inputs":[],"outputs":[]}') as Metadata;
  for (const [what, tensors] of Object.entries({ inputs: metadata.inputs, outputs: metadata.outputs })) {
    narrator.line(`  ${what}`);
    for (const tensor of tensors)
      narrator.line(`    ${tensor.name}  ${tensor.datatype}  ${shapeText(tensor.shape)}`);
  }
  narrator.line();
}

/** Writes the request that was made up where curl finds it, and shows it when it is short. Returns the file. */
function showRequest({ narrator, checkout, stateDir, name }: Tour, body: string): string {
  const file = join(stateDir, `${name}-request.json`);
  const text = `${JSON.stringify(JSON.parse(body), null, 2)}\n`;
  writeFileSync(file, text);
  if (text.length < 1500)
    narrator.line(
      `  An example request (${relative(checkout, file)}; put your own numbers in):\n    ${body}\n`,
    );
  return file;
}

/** Waits for the model, sends the first prediction and prints how to go on. */
export async function showTour(tour: Tour): Promise<void> {
  const { narrator, name, checkout, modelUri } = tour;
  const url = await whenServing(tour);
  if (url === undefined) return;
  const modelUrl = `${url}/v2/models/${name}`;
  const sample = sampleRequest(modelUri, checkout);
  const body = sample ?? (await madeRequest(tour, modelUrl));
  if (body !== undefined) await predict(tour, modelUrl, body);
  if (tour.stopped()) return;
  narrator.line();
  let requestFile: string | undefined;
  if (sample !== undefined)
    requestFile = join(
      checkout,
      modelUri.slice('file:///'.length, modelUri.lastIndexOf('/')),
      'golden/request.json',
    );
  else {
    await showSignature(tour, modelUrl);
    if (body !== undefined) requestFile = showRequest(tour, body);
  }
  const { binDir } = await tour.tools;
  tellNextSteps({
    narrator,
    checkout,
    kubeconfigPath: tour.kubeconfigPath,
    binDir,
    inferUrl: `${modelUrl}/infer`,
    commands: [
      ...(requestFile === undefined
        ? []
        : [
            `curl -s ${modelUrl}/infer -d @${relative(checkout, requestFile)}`,
            `npm run load -- ${name} --rps 120 --seconds 30`,
          ]),
      'kubectl get md -w',
    ],
  });
}

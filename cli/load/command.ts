/** `ballast load`: finds the model, sends load to it and tells what came of it. */

import { existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { loadAuth } from '../../kube/auth.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { messageOf } from '../../kube/log.ts';
import { optionErrorText } from '../option-error.ts';
import { checkout, kubeconfigPath } from './config.ts';
import { findModel, replicasOf } from './find-model.ts';
import { requireLoopback } from './loopback.ts';
import type { LoadOptions } from './options.ts';
import { loadHelp, parseLoadOptions } from './options.ts';
import { replayOf } from './replay.ts';
import { generatedRequest, sampleRequest } from './request-body.ts';
import { runLoad } from './run-load.ts';
import { progressLine, resultText } from './tell.ts';

export interface LoadOutput {
  write(text: string): unknown;
}

interface Destination {
  readonly url: string;
  readonly modelUri: string | undefined;
  /** Reads ready and wanted replicas; undefined where no cluster was asked. */
  readonly replicas: (() => Promise<string>) | undefined;
  readonly close: () => Promise<void>;
}

async function destinationOf(options: LoadOptions): Promise<Destination> {
  if (options.url !== undefined) {
    const { origin } = new URL(options.url);
    return { url: origin, modelUri: undefined, replicas: undefined, close: async () => {} };
  }
  const kubeconfig = kubeconfigPath(options.kubeconfig);
  if (kubeconfig === undefined)
    throw new TypeError('no cluster to ask: "npm start" starts one; or name --kubeconfig FILE or --url URL');
  if (!kubeconfig.split(delimiter).some((file) => existsSync(file)))
    throw new TypeError(
      `there is no kubeconfig ${kubeconfig} (--kubeconfig, else KUBECONFIG): "npm start" writes one`,
    );
  const auth = await loadAuth({ kubeconfig });
  const api: KubeClient = createClient(auth, {
    userAgent: 'ballast-load',
    connections: 2,
  });
  const namespace = options.namespace ?? api.namespace;
  try {
    const found = await findModel(api, namespace, options.model);
    return {
      ...found,
      replicas: () => replicasOf(api, namespace, options.model),
      close: () => api.close(),
    };
  } catch (error) {
    await api.close();
    if (error instanceof ApiError && error.reason === 'ConnectionRefused')
      throw new TypeError(`no cluster answers at ${auth.server} (from ${kubeconfig}): does "npm start" run?`);
    throw error;
  }
}

async function bodyFor(options: LoadOptions, destination: Destination, modelUrl: string): Promise<string> {
  if (options.request !== undefined) return readFileSync(options.request, 'utf8');
  const sample =
    destination.modelUri === undefined ? undefined : sampleRequest(destination.modelUri, checkout);
  return sample ?? generatedRequest(modelUrl, options.timeoutMs);
}

async function load(options: LoadOptions, out: LoadOutput, signal: AbortSignal): Promise<number> {
  const destination = await destinationOf(options);
  let replicas: string | undefined;
  let reading = false;
  const lookAtReplicas = () => {
    if (destination.replicas === undefined || reading) return;
    reading = true;
    destination.replicas().then(
      (text) => {
        replicas = text;
        reading = false;
      },
      () => {
        replicas = '-';
        reading = false;
      },
    );
  };
  try {
    requireLoopback(destination.url, options.allowRemote);
    const modelUrl = `${destination.url}/v2/models/${encodeURIComponent(options.model)}`;
    const body = await bodyFor(options, destination, modelUrl);
    const url = `${modelUrl}/infer`;
    const { trace } = options;
    const replay = trace === undefined ? undefined : replayOf(trace.file, trace, options.seed);
    const { rps, seconds } = replay ?? options;
    if (!options.json)
      out.write(
        `${Number(rps.toPrecision(3))} requests per second${replay === undefined ? '' : ' on average'} for ${seconds}s to ${url}  (Ctrl-C ends it early)\n`,
      );
    lookAtReplicas();
    const result = await runLoad({
      url,
      body,
      rps,
      seconds,
      ...(replay === undefined ? {} : { arrivalsMs: replay.arrivalsMs }),
      connections: options.connections,
      timeoutMs: options.timeoutMs,
      seed: options.seed,
      allowRemote: options.allowRemote,
      signal,
      onSecond(progress) {
        if (!options.json) out.write(progressLine(progress, replicas));
        lookAtReplicas();
      },
    });
    out.write(options.json ? `${JSON.stringify({ model: options.model, ...result })}\n` : resultText(result));
    return result.succeeded > 0 ? 0 : 1;
  } finally {
    await destination.close();
  }
}

/** Runs the command; writes to standard output and resolves to the exit code. */
export async function loadCommand(args: string[], out: LoadOutput = process.stdout): Promise<number> {
  let options: LoadOptions;
  try {
    options = parseLoadOptions(args);
  } catch (error) {
    out.write(`ballast load: ${optionErrorText(error)}\n"ballast load --help" tells the options.\n`);
    return 2;
  }
  if (options.help) {
    out.write(loadHelp);
    return 0;
  }
  const ended = new AbortController();
  const interrupt = () => ended.abort();
  process.once('SIGINT', interrupt);
  try {
    return await load(options, out, ended.signal);
  } catch (error) {
    out.write(`ballast load: ${messageOf(error)}\n`);
    return 1;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

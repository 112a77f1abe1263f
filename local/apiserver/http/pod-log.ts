/** `GET …/pods/x/log`: chunked text from the kubelet. */

import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../kube/log.ts';
import type { Pod } from '../../../kube/objects.ts';
import { present, storedOrThrow } from '../core.ts';
import type { LogOptions } from '../log-source.ts';
import { listAt, textAt } from '../object.ts';
import { badRequest } from '../status-error.ts';
import type { Exchange } from './exchange.ts';

const refusalWithinMs = 50;

function wanted(exchange: Exchange, pod: Pod): LogOptions {
  const { query } = exchange;
  const names = ['initContainers', 'containers'].flatMap((list) =>
    listAt(pod.spec, list).map((container) => textAt(container, 'name')),
  );
  const main = pod.spec.containers;
  const container = query.get('container') ?? '';
  if (container === '' && main.length > 1)
    throw badRequest(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${main.map(({ name }) => name).join(' ')}]${pod.spec.initContainers === undefined ? '' : ` or one of the init containers: [${pod.spec.initContainers.map(({ name }) => name).join(' ')}]`}`,
    );
  if (container !== '' && !names.includes(container))
    throw badRequest(`container ${container} is not valid for pod ${pod.metadata.name}`);
  const isTrue = (name: string) => query.get(name) === 'true' || query.get(name) === '1';
  const number = (name: string) => {
    const text = query.get(name);
    return text === null ? {} : { [name]: Number(text) };
  };
  const sinceTime = query.get('sinceTime');
  return {
    container: container === '' ? (main[0]?.name ?? '') : container,
    follow: isTrue('follow'),
    previous: isTrue('previous'),
    timestamps: isTrue('timestamps'),
    ...number('tailLines'),
    ...number('limitBytes'),
    ...number('sinceSeconds'),
    ...(sinceTime === null ? {} : { sinceTime }),
  };
}

/** Streams a container's log until it ends or the client leaves. */
export async function streamPodLog(exchange: Exchange, name: string): Promise<void> {
  const { registry, response, path, kind } = exchange;
  const pods = registry.core.catalog.find('', 'v1', 'pods') ?? kind;
  const pod = present(pods, storedOrThrow(registry.core, pods, path.namespace, name)) as unknown as Pod;
  const options = wanted(exchange, pod);
  const source = registry.logSource;
  if (source === undefined || (pod.spec.nodeName ?? '') === '')
    throw badRequest(`pod ${name} does not have a host assigned`);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const chunks = source.read(pod, options, gone.signal)[Symbol.asyncIterator]();
  const first = chunks.next();
  // A refusal ("is waiting to start") comes at once and must still become a Status; a log that is silent is none.
  await Promise.race([first, delay(refusalWithinMs, undefined, { ref: false })]);
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache' });
  response.flushHeaders();
  try {
    for (let next = await first; next.done !== true && !gone.signal.aborted; next = await chunks.next())
      if (!response.write(next.value)) await drained(response, gone.signal);
  } catch (error) {
    response.write(`${messageOf(error)}\n`);
  } finally {
    await chunks.return?.();
    response.end();
  }
}

function drained(response: Exchange['response'], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      response.off('drain', end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    response.on('drain', end);
    signal.addEventListener('abort', end);
  });
}

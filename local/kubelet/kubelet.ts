/** The process kubelet: runs each pod of its node as local processes. */
import { mkdirSync } from 'node:fs';
import type { Pod } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import type { LogOptions } from '../apiserver/log-source.ts';
import type { ContainerLog } from './container-log.ts';
import type { KubeletContext } from './context.ts';
import { readLog } from './log-reader.ts';
import { PodRun } from './pod-run.ts';

export interface Kubelet {
  /** Log of a container as `kubectl logs` wants it; a string says why there is none. */
  logs(pod: Pod, options: LogOptions, signal: AbortSignal): AsyncIterable<string> | string;
  /** Ends all pods, each within its grace period but at most `graceMs`; resolves when no process is left. */
  close(graceMs?: number): Promise<void>;
}

/** Starts the kubelet; pods bound to its node run from now on. */
export function startKubelet(context: KubeletContext): Kubelet {
  const { cache, nodeName } = context;
  const runs = new Map<string, PodRun>();
  const leaving = new Set<Promise<void>>();
  let closed = false;
  mkdirSync(context.podsFolder, { recursive: true, mode: 0o700 });

  const drop = (run: PodRun, graceMs?: number) => {
    runs.delete(run.uid);
    const end = run.stop(graceMs).finally(() => leaving.delete(end));
    leaving.add(end);
  };
  const stops = [
    cache.onChange<Pod>(resources.pods, ({ object, deleted }) => {
      if (closed || object.spec.nodeName !== nodeName) return;
      const uid = object.metadata.uid ?? '';
      const run = runs.get(uid);
      if (deleted) {
        if (run !== undefined) drop(run);
      } else if (run !== undefined) run.update(object);
      else runs.set(uid, new PodRun(context, object));
    }),
    cache.onChange(resources.configMaps, ({ object }) => {
      for (const run of runs.values())
        if (run.uses('configMap', object.metadata.namespace, object.metadata.name ?? '')) run.refresh();
    }),
    cache.onChange(resources.secrets, ({ object }) => {
      for (const run of runs.values())
        if (run.uses('secret', object.metadata.namespace, object.metadata.name ?? '')) run.refresh();
    }),
  ];
  return {
    logs(pod, options, signal) {
      const found = findLog(runs.get(pod.metadata.uid ?? ''), pod, options);
      return typeof found === 'string' ? found : readLog(found, options, context.clock.now(), signal);
    },
    async close(graceMs = 2_000) {
      closed = true;
      for (const stop of stops) stop();
      for (const run of [...runs.values()]) drop(run, graceMs);
      while (leaving.size > 0) await Promise.all(leaving);
      context.memory.close();
    },
  };
}

function findLog(run: PodRun | undefined, pod: Pod, options: LogOptions): ContainerLog | string {
  const container = run?.container(options.container);
  const log = container?.log(options.previous);
  if (log !== undefined) return log;
  if (options.previous)
    return `previous terminated container "${options.container}" in pod "${pod.metadata.name}" not found`;
  const reason = container?.record.state.waiting?.reason ?? 'ContainerCreating';
  return `container "${options.container}" in pod "${pod.metadata.name}" is waiting to start: ${reason}`;
}

/** A pod asked itself, past Service and gateway: where its model is, and what CPU its process has used. */
import { request } from 'undici';
import type { Pod } from '../../kube/objects.ts';

/** `http://address:port` of a named port; undefined while it has no address. */
export function originOf({ spec, status }: Pod, port: 'http' | 'ops'): string | undefined {
  const number = (spec.containers ?? [])
    .flatMap(({ ports }) => ports ?? [])
    .find(({ name }) => name === port)?.containerPort;
  return status?.podIP === undefined || number === undefined ? undefined : `http://${status.podIP}:${number}`;
}

/** Where a pod answers for its model. */
export function inferUrlOf(pod: Pod, model: string): string | undefined {
  const origin = originOf(pod, 'http');
  return origin === undefined ? undefined : `${origin}/v2/models/${model}/infer`;
}

/** CPU seconds that the pods' processes have used so far, together. */
export async function cpuSeconds(pods: readonly Pod[]): Promise<number> {
  const each = await Promise.all(
    pods.map(async (pod) => {
      const answer = await request(`${originOf(pod, 'ops')}/metrics`, {
        signal: AbortSignal.timeout(10_000),
      });
      const text = await answer.body.text();
      const seconds = Number(/^process_cpu_seconds_total\S* (\S+)$/m.exec(text)?.[1]);
      if (!Number.isFinite(seconds)) throw new Error(`${pod.metadata.name} does not tell its CPU seconds`);
      return seconds;
    }),
  );
  return each.reduce((sum, one) => sum + one, 0);
}

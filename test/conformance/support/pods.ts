/** A kubelet of the tests' own: says of pods that they run, so that controllers have something to go by. */

import type { Body } from './client.ts';
import type { Cluster } from './cluster.ts';
import { said } from './words.ts';

export interface FakeKubelet {
  /** Name of a node that exists; give it as the pods' `nodeName`. */
  readonly node: string;
  /** Says that the pod runs and is ready (or not), at an address of its own. */
  report(pod: string, ready?: boolean): Promise<string>;
  /** Pods with this label `app`, oldest first, those that are going left out. */
  pods(app: string): Promise<Body[]>;
  /** Waits until there are so many of them. */
  untilPods(app: string, count: number): Promise<Body[]>;
}

/** Makes the node; call at the top of a test file. */
export async function fakeKubelet(api: Cluster): Promise<FakeKubelet> {
  const node = api.unique('node');
  const made = await api.post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
  if (made.status !== 201) throw new Error(`no node: ${said(made)}`);
  api.cleanUp(`/api/v1/nodes/${node}`);
  let last = 0;
  const listed = (app: string) => api.get(api.path('pods'), { labelSelector: `app=${app}` });
  const alive = (items: readonly Body[]) =>
    items.filter((item) => item.metadata.deletionTimestamp === undefined);
  return {
    node,
    async report(pod, ready = true) {
      last += 1;
      const podIP = `10.200.${Math.floor(last / 250)}.${(last % 250) + 1}`;
      const status = ready ? 'True' : 'False';
      const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
      const before = (await api.get(api.path('pods', pod))).body.status as { podIP?: string } | undefined;
      const address = before?.podIP ?? podIP;
      const answer = await api.strategicPatch(api.path('pods', pod, 'status'), {
        status: {
          phase: 'Running',
          podIP: address,
          podIPs: [{ ip: address }],
          startTime: now,
          conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
            type,
            status: type.includes('Ready') ? status : 'True',
            lastTransitionTime: now,
          })),
        },
      });
      if (answer.status !== 200) throw new Error(`status of pod ${pod}: ${said(answer)}`);
      return address;
    },
    async pods(app) {
      return alive((await listed(app)).body.items);
    },
    async untilPods(app, count) {
      const { body } = await api.eventually(
        () => listed(app),
        (answer) => alive(answer.body.items).length === count,
      );
      return alive(body.items);
    },
  };
}

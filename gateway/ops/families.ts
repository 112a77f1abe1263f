/** Every metric that a gateway tells of its models: name, meaning, and where its figures come from. The reference page is made from this list. */
import type { GatewayModelLoad, GatewayRevisionLoad } from '../../crds/gateway-load.ts';
import type { ServedModel } from '../served-model.ts';

/** A model at the time of a reading. */
export interface ReadModel {
  readonly served: ServedModel;
  readonly load: GatewayModelLoad;
}

/** Values of labels in the order of the family's names, the figure, and what is added to the name. */
export type Series = readonly [labels: readonly string[], value: number, suffix?: '_sum' | '_count'];

export interface Family {
  /** Without `ballast_gateway_`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'summary';
  readonly labels: readonly string[];
  readonly help: string;
  /** The series of one model. */
  readonly read: (model: ReadModel) => readonly Series[];
}

const ofModel = (
  name: string,
  type: Family['type'],
  help: string,
  value: (model: ReadModel) => number,
): Family => ({
  name,
  type,
  labels: ['model'],
  help,
  read: (model) => [[[model.load.model], value(model)]],
});

const ofRevision = (
  name: string,
  type: Family['type'],
  help: string,
  value: (revision: GatewayRevisionLoad) => number,
): Family => ({
  name,
  type,
  labels: ['model', 'revision'],
  help,
  read: ({ load }) => load.revisions.map((one): Series => [[load.model, one.revision], value(one)]),
});

const outcomes = {
  succeeded: 'succeeded',
  clientErrors: 'client_error',
  rejected: 'rejected',
  failed: 'failed',
} as const;

const answered = ({ load }: ReadModel): readonly Series[] =>
  Object.entries(outcomes).flatMap(([key, outcome]) => {
    const field = key as keyof typeof outcomes;
    const ofRevisions = load.revisions.map(
      (one): Series => [[load.model, one.revision, outcome], one[field]],
    );
    // What no pod of a live revision answered: refused here, or by a revision that is gone.
    const rest = load.counters[field] - ofRevisions.reduce((sum, [, value]) => sum + value, 0);
    return [...ofRevisions, [[load.model, '', outcome], Math.max(0, rest)] as const];
  });

/** The histogram of what clients saw, told after the families. */
export const latencyFamily = {
  name: 'latency_seconds',
  labels: ['model'],
  help: 'From the first byte of a request to the end of its answer; 429 and 5xx count beyond all bounds and not in the sum.',
} as const;

/** In the order in which they are told. */
export const families: readonly Family[] = [
  ofModel(
    'arrivals_total',
    'counter',
    'Inference requests that arrived, admitted or not: the offered load.',
    ({ load }) => load.counters.arrivals,
  ),
  {
    name: 'answers_total',
    type: 'counter',
    labels: ['model', 'revision', 'outcome'],
    help: 'Inference requests by what their clients got; an empty revision: answered by the gateway itself.',
    read: answered,
  },
  {
    name: 'refusals_total',
    type: 'counter',
    labels: ['model', 'reason'],
    help: 'Inference requests that the gateway itself refused, by reason.',
    read: ({ served: { gate } }) =>
      [...gate.refusals].map(([reason, value]): Series => [[gate.model, reason], value]),
  },
  ofModel(
    'repeats_total',
    'counter',
    'Requests that were sent again because no pod had seen them.',
    ({ served }) => served.gate.repeats,
  ),
  {
    name: 'service_seconds',
    type: 'summary',
    labels: ['model', 'revision'],
    help: 'From handing a request to a pod to the first byte of its answer; a sum and a count, no quantiles.',
    read: ({ load }) =>
      load.revisions.flatMap((one): Series[] => [
        [[load.model, one.revision], one.serviceSumSeconds, '_sum'],
        [[load.model, one.revision], one.serviceCount, '_count'],
      ]),
  },
  ofModel(
    'busy_slot_seconds_total',
    'counter',
    'Integral of the requests that pods had in hand.',
    ({ load }) => load.counters.busySeconds,
  ),
  ofModel(
    'wakes_total',
    'counter',
    'How often this gateway raised a scale from 0 to 1.',
    ({ served }) => served.wakes.count,
  ),
  ofModel(
    'wake_seconds_total',
    'counter',
    'Time from the first request to the raised scale.',
    ({ served }) => served.wakes.seconds,
  ),
  ofModel(
    'waiting_requests',
    'gauge',
    'Requests that wait for a slot or a first pod.',
    ({ load }) => load.queueLength,
  ),
  ofModel('held_requests', 'gauge', 'Of these, requests for which no pod is ready.', ({ load }) => load.held),
  ofModel(
    'oldest_wait_seconds',
    'gauge',
    'Age of the oldest waiting request; 0 when none waits.',
    ({ load }) => load.oldestWaitMs / 1000,
  ),
  ofModel('held_bytes', 'gauge', 'Bytes that are kept of requests.', ({ served }) => served.gate.bytes.held),
  ofModel('client_connections', 'gauge', 'Connections of clients.', ({ served }) => served.connections),
  ofRevision('in_flight_requests', 'gauge', 'Requests that pods have in hand.', (one) => one.inFlight),
  ofRevision('slots', 'gauge', 'Requests that the ready pods may have in hand.', (one) => one.slots),
  ofRevision('ready_pods', 'gauge', 'Pods that may get requests.', (one) => one.readyPods),
  ofRevision(
    'aside_pods',
    'gauge',
    'Of these, pods that are left aside because they failed.',
    (one) => one.asidePods,
  ),
  ofRevision(
    'weight',
    'gauge',
    'Share of the requests as the route asks it, 0 to 10,000.',
    (one) => one.weight,
  ),
  ofModel('routes_refused', 'gauge', '1 when the newest routes are not in effect.', ({ load }) =>
    load.routesRefused === undefined ? 0 : 1,
  ),
];

/** `/metrics`: what each model was asked through this gateway and what its clients saw, and the process's own figures. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ServedModel } from '../served-model.ts';

const prefix = 'ballast_gateway_';

type Series = readonly [labels: Readonly<Record<string, string>>, value: number];

const escapeLabel = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

const line = (name: string, labels: Readonly<Record<string, string>>, value: number) =>
  `${prefix}${name}{${Object.entries(labels)
    .map(([label, text]) => `${label}="${escapeLabel(text)}"`)
    .join(',')}} ${value}`;

const family = (name: string, type: 'counter' | 'gauge', help: string, series: readonly Series[]) =>
  series.length === 0
    ? []
    : [
        `# HELP ${prefix}${name} ${help}`,
        `# TYPE ${prefix}${name} ${type}`,
        ...series.map(([labels, value]) => line(name, labels, value)),
      ];

const outcomes = {
  succeeded: 'succeeded',
  clientErrors: 'client_error',
  rejected: 'rejected',
  failed: 'failed',
};

/** Prometheus' text of all models at one time. */
export const modelMetrics = (models: readonly ServedModel[], nowMs: number): string => {
  const loads = models.map((served) => ({ served, load: served.gate.load(nowMs) }));
  const perModel = (value: (one: (typeof loads)[number]) => number): Series[] =>
    loads.map((one) => [{ model: one.load.model }, value(one)]);
  const perRevision = (
    value: (revision: (typeof loads)[number]['load']['revisions'][number]) => number,
  ): Series[] =>
    loads.flatMap(({ load }) =>
      load.revisions.map((one): Series => [{ model: load.model, revision: one.revision }, value(one)]),
    );
  const answered: Series[] = loads.flatMap(({ load }) =>
    Object.entries(outcomes).flatMap(([key, outcome]): Series[] => {
      const field = key as keyof typeof outcomes;
      const ofRevisions = load.revisions.map(
        (one): Series => [{ model: load.model, revision: one.revision, outcome }, one[field]],
      );
      // What no pod of a live revision answered: refused here, or by a revision that is gone.
      const rest = load.counters[field] - ofRevisions.reduce((sum, [, value]) => sum + value, 0);
      return [...ofRevisions, [{ model: load.model, revision: '', outcome }, Math.max(0, rest)]];
    }),
  );
  const lines = [
    ...family(
      'arrivals_total',
      'counter',
      'Inference requests that arrived, admitted or not.',
      perModel(({ load }) => load.counters.arrivals),
    ),
    ...family('answers_total', 'counter', 'Inference requests by what their clients got.', answered),
    ...family(
      'refusals_total',
      'counter',
      'Inference requests that the gateway itself refused, by reason.',
      loads.flatMap(({ served }) =>
        [...served.gate.refusals].map(
          ([reason, value]): Series => [{ model: served.gate.model, reason }, value],
        ),
      ),
    ),
    ...family(
      'repeats_total',
      'counter',
      'Requests that were sent again because no pod had seen them.',
      perModel(({ served }) => served.gate.repeats),
    ),
    ...family(
      'service_seconds_sum',
      'counter',
      'Time from handing requests to pods to the first byte of their answers.',
      perRevision((one) => one.serviceSumSeconds),
    ),
    ...family(
      'service_seconds_count',
      'counter',
      'How many of these times were added.',
      perRevision((one) => one.serviceCount),
    ),
    ...family(
      'busy_slot_seconds_total',
      'counter',
      'Integral of the requests that pods had in hand.',
      perModel(({ load }) => load.counters.busySeconds),
    ),
    ...family(
      'wakes_total',
      'counter',
      'How often this gateway raised a scale from 0 to 1.',
      perModel(({ served }) => served.wakes.count),
    ),
    ...family(
      'wake_seconds_total',
      'counter',
      'Time from the first request to the raised scale.',
      perModel(({ served }) => served.wakes.seconds),
    ),
    ...family(
      'waiting_requests',
      'gauge',
      'Requests that wait for a slot or a first pod.',
      perModel(({ load }) => load.queueLength),
    ),
    ...family(
      'held_requests',
      'gauge',
      'Of these, requests for which no pod is ready.',
      perModel(({ load }) => load.held),
    ),
    ...family(
      'oldest_wait_seconds',
      'gauge',
      'Age of the oldest waiting request.',
      perModel(({ load }) => load.oldestWaitMs / 1000),
    ),
    ...family(
      'held_bytes',
      'gauge',
      'Bytes that are kept of requests.',
      perModel(({ served }) => served.gate.bytes.held),
    ),
    ...family(
      'client_connections',
      'gauge',
      'Connections of clients.',
      perModel(({ served }) => served.connections),
    ),
    ...family(
      'in_flight_requests',
      'gauge',
      'Requests that pods have in hand.',
      perRevision((one) => one.inFlight),
    ),
    ...family(
      'slots',
      'gauge',
      'Requests that the ready pods may have in hand.',
      perRevision((one) => one.slots),
    ),
    ...family(
      'ready_pods',
      'gauge',
      'Pods that may get requests.',
      perRevision((one) => one.readyPods),
    ),
    ...family(
      'aside_pods',
      'gauge',
      'Of these, pods that are left aside because they failed.',
      perRevision((one) => one.asidePods),
    ),
    ...family(
      'weight',
      'gauge',
      'Share of the requests as the route asks it.',
      perRevision((one) => one.weight),
    ),
    ...family(
      'routes_refused',
      'gauge',
      '1 when the newest routes are not in effect.',
      perModel(({ load }) => (load.routesRefused === undefined ? 0 : 1)),
    ),
    ...latencies(loads.map(({ served, load }) => ({ load, sum: served.gate.recorder.latencySumSeconds }))),
  ];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
};

type Load = ReturnType<ServedModel['gate']['load']>;

/** What clients saw, as a histogram; refused and failed ones lie in +Inf and not in the sum. */
const latencies = (loads: readonly { load: Load; sum: number }[]): string[] => {
  if (loads.length === 0) return [];
  const name = 'latency_seconds';
  const lines = [
    `# HELP ${prefix}${name} From the first byte of a request to the end of its answer; 429 and 5xx count beyond all bounds.`,
    `# TYPE ${prefix}${name} histogram`,
  ];
  for (const { load, sum } of loads) {
    const { model, latency } = load;
    let below = 0;
    for (const [i, count] of latency.counts.entries()) {
      below += count;
      const bound = latency.boundsMs[i];
      lines.push(
        line(`${name}_bucket`, { model, le: bound === undefined ? '+Inf' : String(bound / 1000) }, below),
      );
    }
    lines.push(line(`${name}_sum`, { model }, sum), line(`${name}_count`, { model }, below));
  }
  return lines;
};

export interface ProcessMetrics {
  text(): Promise<string>;
  close(): void;
}

/** Event loop lag, memory and CPU of the gateway itself. */
export const processMetrics = (): ProcessMetrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
  return { text: () => registry.metrics(), close: () => registry.clear() };
};

/** `/metrics`: what each model was asked through this gateway and what its clients saw, and the process's own figures. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ServedModel } from '../served-model.ts';
import { families, latencyFamily, type ReadModel } from './families.ts';

const prefix = 'ballast_gateway_';

const escapeLabel = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

const line = (name: string, labels: readonly string[], values: readonly string[], value: number) =>
  `${prefix}${name}{${labels.map((label, i) => `${label}="${escapeLabel(values[i] ?? '')}"`).join(',')}} ${value}`;

const heading = (name: string, type: string, help: string) => [
  `# HELP ${prefix}${name} ${help}`,
  `# TYPE ${prefix}${name} ${type}`,
];

/** Prometheus' text of all models at one time. */
export const modelMetrics = (models: readonly ServedModel[], nowMs: number): string => {
  const read = models.map((served): ReadModel => ({ served, load: served.gate.load(nowMs) }));
  if (read.length === 0) return '';
  const lines = families.flatMap((family) => {
    const series = read.flatMap((model) => family.read(model));
    if (series.length === 0) return [];
    const { name, type, help, labels } = family;
    return [
      ...heading(name, type, help),
      ...series.map(([values, value, suffix = '']) => line(`${name}${suffix}`, labels, values, value)),
    ];
  });
  return `${[...lines, ...latencies(read)].join('\n')}\n`;
};

/** What clients saw, as a histogram. */
const latencies = (models: readonly ReadModel[]): string[] => {
  const { name, labels, help } = latencyFamily;
  const lines = heading(name, 'histogram', help);
  for (const { served, load } of models) {
    const { model, latency } = load;
    let below = 0;
    for (const [i, count] of latency.counts.entries()) {
      below += count;
      const bound = latency.boundsMs[i];
      const le = bound === undefined ? '+Inf' : String(bound / 1000);
      lines.push(line(`${name}_bucket`, [...labels, 'le'], [model, le], below));
    }
    lines.push(
      line(`${name}_sum`, labels, [model], served.gate.recorder.latencySumSeconds),
      line(`${name}_count`, labels, [model], below),
    );
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

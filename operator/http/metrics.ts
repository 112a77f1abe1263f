/** `/metrics`: what the controller runtime counted, and the process's own figures (event loop lag, memory, CPU). */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { operatorSeries } from './series.ts';

/** One series as the controller runtime keeps it. */
export interface RuntimeSample {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const prefix = 'ballast_operator_';
/** Of series about a ModelDeployment rather than the operator. */
const modelPrefix = 'ballast_';
const escapeLabel = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

/** The meaning of the operator's own series; a summary is told as its sum and its count. */
const meaningOf = (name: string): string | undefined =>
  (operatorSeries[name] ?? operatorSeries[name.replace(/_(?:sum|count)$/, '')])?.help;

/** Prometheus' text of series, each name with one TYPE line. */
export function renderSamples(samples: readonly RuntimeSample[], prefixed = prefix): string {
  const byName = Map.groupBy(samples, (sample) => sample.name);
  const lines: string[] = [];
  for (const [name, series] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const help = prefixed === prefix ? meaningOf(name) : undefined;
    if (help !== undefined) lines.push(`# HELP ${prefixed}${name} ${help}`);
    lines.push(`# TYPE ${prefixed}${name} ${series[0]?.kind ?? 'gauge'}`);
    for (const { labels, value } of series) {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
      lines.push(`${prefixed}${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`);
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

export interface Metrics {
  text(): Promise<string>;
  /** Ends the collection of the process's figures. */
  close(): void;
}

/** Collects the process's figures and renders them with the runtime's `samples` and those of the ModelDeployments. */
export function createMetrics(
  samples: () => readonly RuntimeSample[],
  ofModels: () => readonly RuntimeSample[] = () => [],
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
  return {
    text: async () =>
      `${await registry.metrics()}\n${renderSamples(samples())}${renderSamples(ofModels(), modelPrefix)}`,
    close: () => registry.clear(),
  };
}

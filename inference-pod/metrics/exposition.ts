/** Writes metrics as text, in the form that the scraper asks for: Prometheus' own or OpenMetrics, which alone carries exemplars. */
import type { Family, FamilyType, Sample } from './series.ts';

export type Format = 'prometheus' | 'openmetrics';

export const contentTypes: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The form that an Accept header wants most; Prometheus' own for everybody who does not name the other. */
export const chooseFormat = (accept: string | undefined): Format => {
  let openmetrics = 0;
  let text = 0;
  for (const part of (accept ?? '').slice(0, 2000).split(',')) {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const value = (name: string) =>
      parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
    const quality = Number(value('q') ?? 1);
    if (type === 'application/openmetrics-text' && /^1\.|^$/.test(value('version') ?? ''))
      openmetrics = Math.max(openmetrics, quality);
    if (type === 'text/plain') text = Math.max(text, quality);
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'prometheus';
};

/** The whole text of an answer. */
export const writeMetrics = (families: readonly Family[], format: Format): string => {
  const lines: string[] = [];
  for (const family of families) {
    const isCounter = family.type === 'counter';
    // OpenMetrics names the family of a counter without the ending that its samples have.
    const name = format === 'openmetrics' && isCounter ? family.name.replace(/_total$/, '') : family.name;
    lines.push(`# HELP ${name} ${escapeHelp(family.help, format)}`, `# TYPE ${name} ${family.type}`);
    const ending = format === 'openmetrics' && isCounter ? '_total' : '';
    for (const sample of family.samples()) lines.push(writeSample(`${name}${ending}`, sample, format));
  }
  return `${lines.join('\n')}\n${format === 'openmetrics' ? '# EOF\n' : ''}`;
};

const writeSample = (name: string, sample: Sample, format: Format): string => {
  const pairs = Object.entries(sample.labels).map(
    ([label, text]) => `${label}="${escapeLabel(label === 'le' ? boundText(text, format) : text)}"`,
  );
  const line = `${name}${sample.suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(sample.value)}`;
  const { exemplar } = sample;
  return format === 'openmetrics' && exemplar !== undefined
    ? `${line} # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${exemplar.atSeconds.toFixed(3)}`
    : line;
};

/** OpenMetrics wants `1.0` where Prometheus' own form has always had `1`. */
const boundText = (text: string, format: Format) =>
  format === 'openmetrics' && /^\d+$/.test(text) ? `${text}.0` : text;

const numberText = (value: number) => {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
};

const escapeLabel = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
/** Prometheus' own form knows no escaped quotation mark here. */
const escapeHelp = (text: string, format: Format) =>
  format === 'openmetrics' ? escapeLabel(text) : text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** Some gauges of prom-client end like counters, which Prometheus' own check of metrics refuses; each has a twin that does not. */
const isWellNamed = ({ name, type }: { readonly name: string; readonly type: unknown }) =>
  type === 'counter' || !name.endsWith('_total');

/** What prom-client says of the process, as families. */
export const familiesOfProcess = (
  metrics: readonly {
    readonly name: string;
    readonly help: string;
    readonly type: unknown;
    readonly values?: readonly {
      readonly value: number;
      readonly labels: Partial<Record<string, string | number>>;
      readonly metricName?: string;
    }[];
  }[],
): Family[] =>
  metrics.filter(isWellNamed).map(({ name, help, type, values = [] }) => ({
    name,
    help,
    type: type as FamilyType,
    labelNames: [],
    samples: () =>
      values.map(({ value, labels, metricName }) => ({
        suffix: metricName === undefined ? '' : metricName.slice(name.length),
        labels: Object.fromEntries(Object.entries(labels).map(([label, text]) => [label, String(text)])),
        value,
      })),
  }));

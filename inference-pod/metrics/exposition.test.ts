import { describe, expect, test } from '@jest/globals';
import { chooseFormat, familiesOfProcess, writeMetrics } from './exposition.ts';
import { CounterFamily, HistogramFamily, InfoFamily, ReadFamily } from './series.ts';

const families = () => {
  const requests = new CounterFamily({ name: 'x_total', help: 'All "x".', labelNames: ['code'] });
  requests.cell('200').value += 2;
  requests.cell('a"b\\c\nd').value += 1;
  requests.cell('200').value += 1;
  const seconds = new HistogramFamily({ name: 'd_seconds', help: 'How long.', bounds: [0.5, 1] });
  for (const value of [0.5, 0.6, 7]) seconds.observe(value);
  seconds.observeTraced(0.25, '4bf92f3577b34da6a3ce929d0e0e4736', 1_700_000_000.5);
  const info = new InfoFamily({ name: 'i_info', help: 'What.', labelNames: ['version'] });
  info.set('1');
  const read = new ReadFamily('gauge', { name: 'g', help: 'Now.' }, () => 4);
  const unknown = new ReadFamily('gauge', { name: 'u', help: 'Not known.' }, () => undefined);
  return [requests, seconds, info, read, unknown];
};

test('Prometheus’ own form', () => {
  expect(writeMetrics(families(), 'prometheus')).toBe(`# HELP x_total All "x".
# TYPE x_total counter
x_total{code="200"} 3
x_total{code="a\\"b\\\\c\\nd"} 1
# HELP d_seconds How long.
# TYPE d_seconds histogram
d_seconds_bucket{le="0.5"} 2
d_seconds_bucket{le="1"} 3
d_seconds_bucket{le="+Inf"} 4
d_seconds_sum 8.35
d_seconds_count 4
# HELP i_info What.
# TYPE i_info gauge
i_info{version="1"} 1
# HELP g Now.
# TYPE g gauge
g 4
# HELP u Not known.
# TYPE u gauge
`);
});

test('OpenMetrics: names of counters, bounds, exemplars, the end', () => {
  const text = writeMetrics(families(), 'openmetrics');
  expect(text).toContain('# HELP x All \\"x\\".\n# TYPE x counter\nx_total{code="200"} 3\n');
  expect(text).toContain('d_seconds_bucket{le="1.0"} 3\n');
  expect(text).toContain(
    'd_seconds_bucket{le="0.5"} 2 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.25 1700000000.500\n',
  );
  expect(text.endsWith('# EOF\n')).toBe(true);
});

test('what prom-client says of the process', () => {
  const text = writeMetrics(
    familiesOfProcess([
      {
        name: 'gc_seconds',
        help: 'h',
        type: 'histogram',
        values: [
          { value: 1, labels: { le: 0.1, kind: 'minor' }, metricName: 'gc_seconds_bucket' },
          { value: 1, labels: { le: '+Inf', kind: 'minor' }, metricName: 'gc_seconds_bucket' },
        ],
      },
      { name: 'm', help: 'h', type: 'gauge', values: [{ value: Number.NaN, labels: {} }] },
      { name: 'handles_total', help: 'h', type: 'gauge', values: [{ value: 1, labels: {} }] },
    ]),
    'prometheus',
  );
  expect(text).toContain('gc_seconds_bucket{le="0.1",kind="minor"} 1\n');
  expect(text).toContain('m NaN\n');
  expect(text).not.toContain('handles_total');
});

describe('the form that is wanted', () => {
  test.each([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1,text/plain;q=0.5', 'prometheus'],
    ['application/openmetrics-text;q=0.3, text/plain;q=0.5', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    // Prometheus 3 and Prometheus 2.
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
  ])('%s', (accept, format) => {
    expect(chooseFormat(accept)).toBe(format);
  });
});

/** The Grafana dashboard asks for series and labels that the reference pages tell of, and fits Grafana's grid. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { metricsIn } from './support/promql.ts';
import { ofKind, render, root } from './support/render.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
  readonly transformations?: readonly {
    readonly options: { readonly renameByName?: Record<string, string> };
  }[];
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const text = readFileSync(join(root, 'charts/ballast/files/dashboard.json'), 'utf8');
const { panels, templating } = JSON.parse(text) as Dashboard;
const charts = panels.filter(({ type }) => type !== 'row');

/** Labels of every series by name, from the tables of the reference pages: `| name | type | labels | meaning |`, or without type. */
const documented = new Map<string, readonly string[]>();
for (const page of globSync('docs/reference/metrics-*.md', { cwd: root })) {
  const about = page.endsWith('metrics-scaling.md')
    ? ['exported_namespace', 'model_deployment']
    : ['namespace'];
  // The chart's PodMonitor adds them from the pod's labels.
  if (page.endsWith('metrics-pod.md')) about.push('model_deployment', 'revision');
  for (const line of readFileSync(join(root, page), 'utf8').split('\n')) {
    const [, name = '', ...cells] = /^\| `(ballast_\w+)` \|(.*)\|$/.exec(line)?.slice(0, 3) ?? [];
    if (name === '') continue;
    const [first = '', second = ''] = cells
      .join('')
      .split(' | ')
      .map((cell) => cell.trim());
    const isTyped = ['counter', 'gauge', 'histogram', 'summary'].includes(first);
    const labels = [
      ...about,
      ...[...(isTyped ? second : first).matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
    ];
    const endings = { histogram: ['_bucket', '_sum', '_count'], summary: ['_sum', '_count'] }[first] ?? [''];
    for (const ending of endings)
      documented.set(name + ending, ending === '_bucket' ? [...labels, 'le'] : labels);
  }
}

test('the pages are read', () => {
  expect(documented.get('ballast_scaling_limited')).toEqual([
    'exported_namespace',
    'model_deployment',
    'reason',
  ]);
  expect(documented.get('ballast_gateway_latency_seconds_bucket')).toEqual(['namespace', 'model', 'le']);
  expect(documented.get('ballast_rejected_total')).toEqual([
    'namespace',
    'model_deployment',
    'revision',
    'reason',
  ]);
  expect(documented.size).toBeGreaterThan(60);
});

describe.each(charts)('$title', ({ description, targets = [], transformations = [] }) => {
  test('asks for series that exist, by labels that they have', () => {
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr, legendFormat } of targets) {
      const asked = metricsIn(expr);
      expect([expr, asked.filter((name) => !documented.has(name))]).toEqual([expr, []]);
      expect([expr, asked.length]).toEqual([expr, 1]);
      const has = documented.get(asked[0] ?? '') ?? [];
      const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].map(([, list = '']) => list.split(/,\s*/));
      const selected = [...expr.matchAll(/(\w+)=~?"/g)].map(([, label]) => label);
      const told = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      expect([expr, [...kept.flat(), ...selected].filter((label) => !has.includes(label ?? ''))]).toEqual([
        expr,
        [],
      ]);
      // What a line is called by must be left by what sums it up last, which is written first.
      expect([expr, told.filter((label) => !kept[0]?.includes(label ?? ''))]).toEqual([expr, []]);
    }
  });
  test('says what it shows, and names each of its columns', () => {
    expect(description).toMatch(/\.$/);
    const named = transformations.flatMap(({ options }) => Object.keys(options.renameByName ?? {}));
    const values = named.filter((name) => name.startsWith('Value #'));
    if (transformations.length > 0) expect(values).toEqual(targets.map(({ refId }) => `Value #${refId}`));
  });
});

test('panels fill the grid without covering each other, each with a number of its own', () => {
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect([title, x, y, taken.get(`${x},${y}`)]).toEqual([title, x, y, undefined]);
        taken.set(`${x},${y}`, title);
      }
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test('the choices come from series that exist, and every expression follows them', () => {
  const [, ...choices] = templating.list;
  for (const { definition = '' } of choices) {
    const [, name = '', label = ''] = /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(definition) ?? [];
    expect(documented.get(name)).toContain(label);
  }
  for (const { expr } of charts.flatMap(({ targets = [] }) => targets))
    expect([expr, /"\$namespace"/.test(expr) && /"\$model"/.test(expr)]).toEqual([expr, true]);
});

describe('the ConfigMap', () => {
  const found = (...words: string[]) =>
    ofKind(render(words), 'ConfigMap').filter(({ metadata }) => metadata.name.endsWith('-dashboard'));
  const on = ['--set', 'grafanaDashboard.enabled=true'];
  test('is not there by default', () => {
    expect(found()).toEqual([]);
  });
  test('holds the dashboard as it lies in the chart, with the label that sidecars look for', () => {
    const [made] = found(...on);
    expect(made?.metadata.namespace).toBe('ballast-system');
    expect(made?.metadata.labels?.grafana_dashboard).toBe('1');
    const data = made?.data as Record<string, string>;
    expect(Object.keys(data)).toEqual(['ballast-models.json']);
    expect(JSON.parse(data['ballast-models.json'] ?? '')).toEqual(JSON.parse(text));
  });
  test('goes where another Grafana looks', () => {
    const [made] = found(
      ...on,
      ...['--set', 'grafanaDashboard.namespace=monitoring'],
      ...['--set', 'grafanaDashboard.annotations.grafana_folder=Models'],
      ...['--set-string', 'grafanaDashboard.labels.team=ml'],
    );
    expect(made?.metadata).toMatchObject({
      namespace: 'monitoring',
      annotations: { grafana_folder: 'Models' },
      labels: { grafana_dashboard: '1', team: 'ml' },
    });
  });
});

/** The chart's Grafana dashboard, made from the list of its panels. */
import { type Panel, type Query, rows } from './dashboard-panels.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana's.
const datasource = { type: 'prometheus', uid: '${datasource}' };

function target({ expr, legend = '' }: Query, index: number, type: string) {
  return {
    datasource,
    expr,
    legendFormat: legend,
    refId: String.fromCharCode(65 + index),
    ...(type === 'timeseries' ? { range: true } : { instant: true }),
    ...(type === 'table' ? { format: 'table' } : {}),
  };
}

/** Bounds are dashed lines in the colour of their place in the legend. */
const overridesOf = ({ queries }: Panel) =>
  queries.flatMap(({ isBound }, index) =>
    isBound === true
      ? [
          {
            matcher: { id: 'byFrameRefID', options: String.fromCharCode(65 + index) },
            properties: [
              { id: 'custom.lineStyle', value: { fill: 'dash', dash: [6, 6] } },
              { id: 'custom.fillOpacity', value: 0 },
            ],
          },
        ]
      : [],
  );

const colours = ({ redBelow, redFrom }: Panel) => {
  const step = (color: string, value: number | null) => ({ color, value });
  if (redBelow !== undefined) return [step('red', null), step('green', redBelow)];
  return redFrom === undefined ? [step('green', null)] : [step('green', null), step('red', redFrom)];
};

/** A table with one line per ModelDeployment: what its queries answer, side by side. */
const tableParts = (columns: readonly string[]) => ({
  transformations: [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        renameByName: {
          exported_namespace: 'namespace',
          model_deployment: 'model',
          ...Object.fromEntries(
            columns.map((name, index) => [`Value #${String.fromCharCode(65 + index)}`, name]),
          ),
        },
      },
    },
  ],
});

const columnUnits: Readonly<Record<string, object[]>> = {
  'promise kept': [
    {
      id: 'mappings',
      value: [
        {
          type: 'value',
          options: { 0: { text: 'BROKEN', color: 'red' }, 1: { text: 'kept', color: 'green' } },
        },
      ],
    },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ],
  'budget left': [{ id: 'unit', value: 'percentunit' }],
};

function panelOf(panel: Panel, id: number, x: number, y: number) {
  const { title, description, type = 'timeseries', unit, width, height = 8, queries, max, columns } = panel;
  const named = (columns ?? []).flatMap((name) => {
    const properties = columnUnits[name];
    return properties === undefined ? [] : [{ matcher: { id: 'byName', options: name }, properties }];
  });
  return {
    id,
    title,
    description,
    type,
    datasource,
    gridPos: { x, y, w: width, h: height },
    fieldConfig: {
      defaults: {
        unit,
        min: type === 'timeseries' ? 0 : undefined,
        max,
        thresholds: { mode: 'absolute', steps: colours(panel) },
        ...(type === 'timeseries'
          ? { custom: { lineWidth: 1, fillOpacity: 5, showPoints: 'never', lineInterpolation: 'stepAfter' } }
          : {}),
      },
      overrides: [...overridesOf(panel), ...named],
    },
    options:
      type === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value' }
        : type === 'timeseries'
          ? {
              legend: { displayMode: 'list', placement: 'bottom' },
              tooltip: { mode: 'multi', sort: 'desc' },
            }
          : {},
    targets: queries.map((query, index) => target(query, index, type)),
    ...(columns === undefined ? {} : tableParts(columns)),
  };
}

/** A variable of the dashboard that takes its choices from a label of the series that every ModelDeployment has. */
const choice = (name: string, label: string, of_: string, text: string) => {
  const query = `label_values(ballast_scaling_desired_replicas${of_}, ${label})`;
  return {
    name,
    label: text,
    type: 'query',
    datasource,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.+',
    current: { text: 'All', value: '$__all' },
  };
};

/** The dashboard as Grafana 10 and later import it. */
export function dashboard(): Record<string, unknown> {
  const panels: object[] = [];
  let y = 0;
  for (const [title, list] of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let high = 0;
    for (const panel of list) {
      if (x + panel.width > 24) {
        y += high;
        x = 0;
        high = 0;
      }
      panels.push(panelOf(panel, panels.length + 1, x, y));
      x += panel.width;
      high = Math.max(high, panel.height ?? 8);
    }
    y += high;
  }
  return {
    uid: 'ballast-models',
    title: 'Ballast: models',
    description: 'Promises kept, requests, replicas and cost of ModelDeployments.',
    tags: ['ballast'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', refresh: 1 },
        choice('namespace', 'exported_namespace', '', 'Namespace'),
        choice('model', 'model_deployment', '{exported_namespace=~"$namespace"}', 'Model'),
      ],
    },
    panels,
  };
}

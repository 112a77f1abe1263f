/** What the Grafana dashboard shows, row by row: promises, requests, replicas, cost. */

/** `models`: about ModelDeployments, told by the operator; `pods`, `gateways`: told by those themselves. */
const of = {
  models: 'exported_namespace=~"$namespace",model_deployment=~"$model"',
  pods: 'namespace=~"$namespace",model_deployment=~"$model"',
  gateways: 'namespace=~"$namespace",model=~"$model"',
} as const;

/** One series per ModelDeployment: while the lead changes, two operators may tell it. */
const each = (name: string, ...more: string[]) =>
  `max by (${['exported_namespace', 'model_deployment', ...more].join(', ')}) (${name}{${of.models}})`;
const perSecond = (name: string, from: 'pods' | 'gateways', by: string) =>
  `sum by (${by}) (rate(${name}{${of[from]}}[$__rate_interval]))`;

export interface Query {
  readonly expr: string;
  readonly legend?: string;
  /** Drawn as a dashed line: what is promised or allowed beside what is. */
  readonly isBound?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type?: 'timeseries' | 'stat' | 'table';
  readonly unit: string;
  /** Of 24. */
  readonly width: number;
  readonly height?: number;
  readonly queries: readonly Query[];
  /** Of a stat: red below the one value, or from the other on; else green. */
  readonly redBelow?: number;
  readonly redFrom?: number;
  readonly max?: number;
  /** Of a table: titles of the columns of values. */
  readonly columns?: readonly string[];
}

const model = '{{exported_namespace}}/{{model_deployment}}';

export const rows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'At a glance',
    [
      {
        title: 'Promises kept',
        description:
          'Of the ModelDeployments whose promise (spec.sla) can be judged, those that keep it over sla.window.',
        type: 'stat',
        unit: 'percentunit',
        width: 6,
        height: 4,
        queries: [{ expr: `avg(${each('ballast_sla_met')})` }],
        redBelow: 1,
        max: 1,
      },
      {
        title: 'Kept from scaling',
        description:
          'ModelDeployments that need more replicas than they get. npx ballast why NAME tells what is in the way.',
        type: 'stat',
        unit: 'none',
        width: 6,
        height: 4,
        queries: [
          {
            expr: `count(sum by (exported_namespace, model_deployment) (${each('ballast_scaling_limited', 'reason')})) or vector(0)`,
          },
        ],
        redFrom: 1,
      },
      {
        title: 'Replicas ready of wanted',
        description: 'Over all ModelDeployments that are shown.',
        type: 'stat',
        unit: 'none',
        width: 6,
        height: 4,
        queries: [
          { expr: `sum(${each('ballast_scaling_ready_pods')})`, legend: 'ready' },
          { expr: `sum(${each('ballast_scaling_desired_replicas')})`, legend: 'wanted' },
        ],
      },
      {
        title: 'Cost per hour',
        description: 'Of the ModelDeployments whose price is known, in the unit of the prices.',
        type: 'stat',
        unit: 'none',
        width: 6,
        height: 4,
        queries: [{ expr: `sum(${each('ballast_cost_per_hour')})` }],
      },
      {
        title: 'ModelDeployments',
        description: 'A column is empty where nothing is promised, measured or known.',
        type: 'table',
        unit: 'none',
        width: 24,
        height: 8,
        queries: [
          { expr: each('ballast_sla_met') },
          { expr: each('ballast_sla_budget_left_ratio') },
          { expr: each('ballast_scaling_arrivals_per_second') },
          { expr: each('ballast_scaling_desired_replicas') },
          { expr: each('ballast_scaling_ready_pods') },
          { expr: each('ballast_cost_per_hour') },
        ],
        columns: ['promise kept', 'budget left', 'requests/s', 'wanted', 'ready', 'cost per hour'],
      },
    ],
  ],
  [
    'Promises',
    [
      {
        title: 'Latency beside its promise',
        description:
          'Each promised percentile over sla.window, and dashed what is promised. Where errors alone fill a percentile it has no value.',
        unit: 's',
        width: 12,
        queries: [
          { expr: each('ballast_sla_latency_seconds', 'percentile'), legend: `${model} {{percentile}}` },
          {
            expr: each('ballast_sla_latency_target_seconds', 'percentile'),
            legend: `${model} {{percentile}} promised`,
            isBound: true,
          },
        ],
      },
      {
        title: 'Requests that failed or were refused',
        description:
          'Share over sla.window (429, 503, 504 and other 5xx), and dashed the promised error rate.',
        unit: 'percentunit',
        width: 12,
        queries: [
          { expr: each('ballast_sla_error_ratio'), legend: model },
          { expr: each('ballast_sla_error_target_ratio'), legend: `${model} promised`, isBound: true },
        ],
      },
      {
        title: 'Error budget left',
        description: 'Of the promise that is nearest to its end; at 0 it is broken.',
        unit: 'percentunit',
        width: 12,
        max: 1,
        queries: [{ expr: each('ballast_sla_budget_left_ratio'), legend: model }],
      },
      {
        title: 'p99 as the gateways’ clients see it',
        description:
          'From the first byte of a request to the end of its answer; only where requests go through a gateway.',
        unit: 's',
        width: 12,
        queries: [
          {
            expr: `histogram_quantile(0.99, ${perSecond('ballast_gateway_latency_seconds_bucket', 'gateways', 'namespace, model, le')})`,
            legend: '{{namespace}}/{{model}}',
          },
        ],
      },
    ],
  ],
  [
    'Requests',
    [
      {
        title: 'Requests asked for',
        description:
          'Of the last ten seconds, refused ones too; dashed what the count of replicas is planned for.',
        unit: 'reqps',
        width: 12,
        queries: [
          { expr: each('ballast_scaling_arrivals_per_second'), legend: model },
          {
            expr: each('ballast_scaling_planned_arrivals_per_second'),
            legend: `${model} planned for`,
            isBound: true,
          },
        ],
      },
      {
        title: 'Refusals by reason',
        description: 'By pods and by gateways: each tells only what it refused itself.',
        unit: 'reqps',
        width: 12,
        queries: [
          {
            expr: perSecond('ballast_rejected_total', 'pods', 'namespace, model_deployment, reason'),
            legend: '{{namespace}}/{{model_deployment}} {{reason}} (pods)',
          },
          {
            expr: perSecond('ballast_gateway_refusals_total', 'gateways', 'namespace, model, reason'),
            legend: '{{namespace}}/{{model}} {{reason}} (gateways)',
          },
        ],
      },
      {
        title: 'Requests that wait',
        description: 'At gateways and in pods, at the last decision.',
        unit: 'none',
        width: 12,
        queries: [{ expr: each('ballast_scaling_queue_length'), legend: model }],
      },
      {
        title: 'How long a replica works on a request',
        description: 'Mean of the last five minutes, without the time that a request waits.',
        unit: 's',
        width: 12,
        queries: [{ expr: each('ballast_scaling_service_seconds'), legend: model }],
      },
    ],
  ],
  [
    'Replicas',
    [
      {
        title: 'Replicas wanted and ready',
        description: 'Wanted is what was decided; dashed the upper limit in effect.',
        unit: 'none',
        width: 12,
        queries: [
          { expr: each('ballast_scaling_desired_replicas'), legend: `${model} wanted` },
          { expr: each('ballast_scaling_ready_pods'), legend: `${model} ready` },
          { expr: each('ballast_scaling_max_replicas'), legend: `${model} at most`, isBound: true },
        ],
      },
      {
        title: 'How busy a replica is',
        description: 'At the planned rate; above 1 there are too few.',
        unit: 'percentunit',
        width: 12,
        queries: [{ expr: each('ballast_scaling_utilisation_ratio'), legend: model }],
      },
      {
        title: 'What keeps replicas from running',
        description: 'The reason of the condition ScalingLimited: 1 while it holds.',
        unit: 'none',
        width: 8,
        queries: [{ expr: each('ballast_scaling_limited', 'reason'), legend: `${model} {{reason}}` }],
      },
      {
        title: 'Pods that wait',
        description: 'For a node, an image, a volume: status.pending.',
        unit: 'none',
        width: 8,
        queries: [{ expr: each('ballast_pods_pending', 'reason'), legend: `${model} {{reason}}` }],
      },
      {
        title: 'How long a new pod takes',
        description: 'Until it is ready: nine of ten are as quick.',
        unit: 's',
        width: 8,
        queries: [{ expr: each('ballast_scaling_startup_seconds'), legend: model }],
      },
    ],
  ],
  [
    'Cost',
    [
      {
        title: 'Cost per hour',
        description: 'In the unit of the prices; none where a price is unknown (status.cost says why).',
        unit: 'none',
        width: 18,
        queries: [{ expr: each('ballast_cost_per_hour'), legend: model }],
      },
      {
        title: 'Cost of the last 24 hours',
        description: 'As far back as Prometheus has figures.',
        type: 'stat',
        unit: 'none',
        width: 6,
        queries: [{ expr: `sum(sum_over_time(sum(${each('ballast_cost_per_hour')})[24h:5m])) / 12` }],
      },
    ],
  ],
];

/** The chart's alerts in Prometheus' own evaluation: each is quiet while all is well, fires when it should, and says it in words. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import { find, render, withMonitoring } from '../../chart/support/render.ts';
import { buildTool } from '../build.ts';

interface AlertRule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const promtool = buildTool('promtool', () => {});
const dir = mkdtempSync(join(tmpdir(), 'ballast-alerts-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const { spec } = find(
  render(['--set', 'prometheusRule.enabled=true', ...withMonitoring]),
  'PrometheusRule',
  'ballast',
) as unknown as { spec: { groups: { rules: AlertRule[] }[] } };
writeFileSync(join(dir, 'rules.yaml'), dump(spec));
const rules = spec.groups.flatMap((group) => group.rules);

const run = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(promtool, words, { cwd: dir, encoding: 'utf8' });
  return { code: status, out: `${stdout}${stderr}` };
};

const ours = 'namespace="ballast-system"';
const model = 'namespace="team-a",model_deployment="wine"';
/** The same as the operator tells it: its own namespace is the target's. */
const about = 'exported_namespace="team-a",model_deployment="wine"';
const atGateway = 'namespace="team-a",model="wine"';
/** A counter that rises by `step` a minute for an hour. */
const rising = (step: number) => `0+${step}x60`;
const steady = (value: number) => `${value}x60`;

interface Case {
  readonly alert: string;
  /** Series while all is well, which every case begins with. */
  readonly well: Readonly<Record<string, string>>;
  /** Series that make it fire. */
  readonly ill: Readonly<Record<string, string>>;
  /** Labels of the firing alert beside its severity. */
  readonly labels: Readonly<Record<string, string>>;
  /** The value, as the summary writes it. */
  readonly value?: string;
}

const cases: Case[] = [
  {
    alert: 'BallastNoLeader',
    well: {
      [`ballast_operator_leader{${ours},pod="a"}`]: steady(1),
      [`ballast_operator_leader{${ours},pod="b"}`]: steady(0),
    },
    ill: { [`ballast_operator_leader{${ours},pod="b"}`]: steady(0) },
    labels: {},
  },
  {
    alert: 'BallastReconcileErrors',
    well: {
      [`ballast_operator_reconciles_total{${ours},result="success"}`]: rising(100),
      [`ballast_operator_reconciles_total{${ours},result="error"}`]: rising(5),
    },
    ill: {
      [`ballast_operator_reconciles_total{${ours},result="success"}`]: rising(75),
      [`ballast_operator_reconciles_total{${ours},result="error"}`]: rising(25),
    },
    labels: { namespace: 'ballast-system' },
    value: '25%',
  },
  {
    alert: 'BallastNamespaceNotRead',
    well: { [`ballast_operator_namespace_read{${ours},exported_namespace="team-a"}`]: steady(1) },
    ill: {
      [`ballast_operator_namespace_read{${ours},exported_namespace="team-a"}`]: steady(0),
      [`ballast_operator_namespace_read{${ours},exported_namespace="team-b"}`]: steady(1),
    },
    labels: { namespace: 'ballast-system', exported_namespace: 'team-a' },
  },
  {
    alert: 'BallastNamespaceNotClaimed',
    well: {
      [`ballast_operator_claims_wanted{${ours},pod="a"}`]: steady(2),
      [`ballast_operator_claims_held{${ours},pod="a"}`]: steady(2),
      // The one that stands by holds none.
      [`ballast_operator_claims_wanted{${ours},pod="b"}`]: steady(2),
      [`ballast_operator_claims_held{${ours},pod="b"}`]: steady(0),
    },
    ill: {
      [`ballast_operator_claims_wanted{${ours},pod="a"}`]: steady(2),
      [`ballast_operator_claims_held{${ours},pod="a"}`]: steady(1),
    },
    labels: { namespace: 'ballast-system' },
  },
  {
    alert: 'BallastDefaultsBroken',
    well: { [`ballast_operator_defaults_file_broken{${ours},pod="a"}`]: steady(0) },
    ill: { [`ballast_operator_defaults_file_broken{${ours},pod="a"}`]: steady(1) },
    labels: { namespace: 'ballast-system' },
  },
  {
    alert: 'BallastWatchSilent',
    well: { [`ballast_operator_watch_last_activity_seconds{${ours},resource="pods"}`]: steady(600) },
    ill: { [`ballast_operator_watch_last_activity_seconds{${ours},resource="pods"}`]: steady(1800) },
    labels: { namespace: 'ballast-system', resource: 'pods' },
    value: '30m 0s',
  },
  {
    alert: 'BallastProbeFailures',
    well: {
      [`ballast_operator_probe_pulls_total{${ours}}`]: rising(100),
      [`ballast_operator_probe_pull_failures_total{${ours},reason="timeout"}`]: rising(5),
    },
    ill: {
      [`ballast_operator_probe_pulls_total{${ours}}`]: rising(100),
      [`ballast_operator_probe_pull_failures_total{${ours},reason="timeout"}`]: rising(20),
      [`ballast_operator_probe_pull_failures_total{${ours},reason="connection"}`]: rising(20),
    },
    labels: { namespace: 'ballast-system' },
    value: '40%',
  },
  {
    alert: 'BallastModelErrors',
    well: {
      [`ballast_requests_total{${model},pod="a",code="200"}`]: rising(600),
      // A client's own mistakes are not the model's.
      [`ballast_requests_total{${model},pod="a",code="400"}`]: rising(300),
      [`ballast_requests_total{${model},pod="a",code="504"}`]: rising(6),
    },
    ill: {
      [`ballast_requests_total{${model},pod="a",code="200"}`]: rising(600),
      [`ballast_requests_total{${model},pod="a",code="504"}`]: rising(100),
      [`ballast_requests_total{${model},pod="b",code="429"}`]: rising(100),
    },
    labels: { namespace: 'team-a', model_deployment: 'wine' },
    value: '25%',
  },
  {
    alert: 'BallastGatewayErrors',
    well: {
      [`ballast_gateway_answers_total{${atGateway},pod="a",revision="r",outcome="succeeded"}`]: rising(600),
      // A client's own mistakes are not the gateway's.
      [`ballast_gateway_answers_total{${atGateway},pod="a",revision="",outcome="client_error"}`]: rising(300),
      [`ballast_gateway_answers_total{${atGateway},pod="a",revision="",outcome="rejected"}`]: rising(6),
    },
    ill: {
      [`ballast_gateway_answers_total{${atGateway},pod="a",revision="r",outcome="succeeded"}`]: rising(600),
      [`ballast_gateway_answers_total{${atGateway},pod="a",revision="",outcome="rejected"}`]: rising(100),
      [`ballast_gateway_answers_total{${atGateway},pod="b",revision="r",outcome="failed"}`]: rising(100),
    },
    labels: { namespace: 'team-a', model: 'wine' },
    value: '25%',
  },
  {
    alert: 'BallastModelNotServing',
    well: { [`ballast_available{${ours},${about}}`]: steady(1) },
    ill: { [`ballast_available{${ours},${about}}`]: steady(0) },
    labels: { exported_namespace: 'team-a', model_deployment: 'wine' },
  },
  {
    alert: 'BallastModelStalled',
    well: { [`ballast_available{${ours},${about}}`]: steady(1) },
    ill: { [`ballast_stalled{${ours},${about},reason="ModelUnavailable"}`]: steady(1) },
    labels: { exported_namespace: 'team-a', model_deployment: 'wine', reason: 'ModelUnavailable' },
  },
  {
    alert: 'BallastPromiseBroken',
    well: { [`ballast_sla_met{${ours},${about}}`]: steady(1) },
    ill: { [`ballast_sla_met{${ours},${about}}`]: steady(0) },
    labels: { exported_namespace: 'team-a', model_deployment: 'wine' },
  },
  {
    alert: 'BallastSLAInfeasible',
    well: { [`ballast_scaling_limited{${ours},${about},reason="AtMaximum"}`]: steady(1) },
    ill: { [`ballast_scaling_limited{${ours},${about},reason="SLAInfeasible"}`]: steady(1) },
    labels: { exported_namespace: 'team-a', model_deployment: 'wine' },
  },
  {
    alert: 'BallastGrowthBlocked',
    well: { [`ballast_scaling_limited{${ours},${about},reason="SLAInfeasible"}`]: steady(1) },
    ill: { [`ballast_scaling_limited{${ours},${about},reason="NoRoom"}`]: steady(1) },
    labels: { exported_namespace: 'team-a', model_deployment: 'wine', reason: 'NoRoom' },
  },
  {
    alert: 'BallastReplicasContested',
    well: { [`ballast_scaling_limited{${ours},${about},reason="NoRoom"}`]: steady(1) },
    ill: { [`ballast_scaling_limited{${ours},${about},reason="ReplicasContested"}`]: steady(1) },
    labels: { exported_namespace: 'team-a', model_deployment: 'wine' },
  },
  {
    alert: 'BallastScalingBlind',
    well: { [`ballast_scaling_reason{${ours},${about},reason="Latency"}`]: steady(1) },
    ill: { [`ballast_scaling_reason{${ours},${about},reason="HoldUnknown"}`]: steady(1) },
    labels: { exported_namespace: 'team-a', model_deployment: 'wine' },
  },
];

const filled = (text: string, { labels, value = '' }: Case) =>
  text
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '')
    .replaceAll(/\{\{ \$value \| \w+ \}\}/g, value);

/** Runs promtool's unit test: after an hour of these series the alert fires, or does not. */
function judge(one: Case, series: Readonly<Record<string, string>>, fires: boolean) {
  const rule = rules.find(({ alert }) => alert === one.alert);
  if (rule === undefined) throw new Error(`the chart has no alert ${one.alert}`);
  const annotations = Object.fromEntries(
    Object.entries(rule.annotations).map(([key, text]) => [key, filled(text, one)]),
  );
  const file = join(dir, `${one.alert}-${fires}.yaml`);
  const expected = fires
    ? [{ exp_labels: { ...rule.labels, ...one.labels }, exp_annotations: annotations }]
    : [];
  writeFileSync(
    file,
    dump({
      rule_files: ['rules.yaml'],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          alert_rule_test: [{ eval_time: '59m', alertname: one.alert, exp_alerts: expected }],
        },
      ],
    }),
  );
  return run('test', 'rules', file);
}

test('promtool accepts the rules', () => {
  expect(run('check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml')).toEqual({
    code: 0,
    out: expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
  });
  expect(cases.map(({ alert }) => alert).sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

test.each(cases)('$alert is quiet while all is well', (one) => {
  expect(judge(one, one.well, false)).toEqual({ code: 0, out: expect.stringContaining('SUCCESS') });
});

test.each(cases)('$alert fires when it should', (one) => {
  expect(judge(one, one.ill, true)).toEqual({ code: 0, out: expect.stringContaining('SUCCESS') });
});

test('the judge can say no', () => {
  const [one] = cases;
  if (one !== undefined) expect(judge(one, one.well, true).code).not.toBe(0);
});

/** The Grafana dashboard's expressions in Prometheus' own evaluation: each is PromQL, and the sums are what their titles say. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import { root } from '../../chart/support/render.ts';
import { buildTool } from '../build.ts';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const promtool = buildTool('promtool', () => {});
const dir = mkdtempSync(join(tmpdir(), 'ballast-dashboard-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const { panels } = JSON.parse(readFileSync(join(root, 'charts/ballast/files/dashboard.json'), 'utf8')) as {
  panels: readonly Panel[];
};

/** As Grafana asks with all of both variables chosen. */
const asked = (expr: string) =>
  expr.replaceAll(/\$(namespace|model)\b/g, '.+').replaceAll('$__rate_interval', '5m');
const expressions = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr: asked(expr) })),
);

const run = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(promtool, words, { cwd: dir, encoding: 'utf8' });
  return { code: status, out: `${stdout}${stderr}` };
};

test('promtool accepts every expression', () => {
  const rules = expressions.map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
  writeFileSync(join(dir, 'rules.yaml'), dump({ groups: [{ name: 'panels', rules }] }));
  expect(run('check', 'rules', 'rules.yaml')).toEqual({
    code: 0,
    out: expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
  });
});

const about = (name: string, pod = 'a') =>
  `{namespace="ballast-system",pod="${pod}",exported_namespace="team",model_deployment="${name}"`;
/** Two models, of which one breaks its promise and is held back for two reasons; the last leader's series are still there. */
const series = {
  [`ballast_sla_met${about('wine')}}`]: '1x60',
  [`ballast_sla_met${about('wine', 'b')}}`]: '1x60',
  [`ballast_sla_met${about('digits')}}`]: '0x60',
  [`ballast_scaling_limited${about('digits')},reason="NoRoom"}`]: '1x60',
  [`ballast_scaling_limited${about('digits')},reason="AtMaximum"}`]: '1x60',
  [`ballast_scaling_desired_replicas${about('wine')}}`]: '3x60',
  [`ballast_scaling_desired_replicas${about('wine', 'b')}}`]: '3x60',
  [`ballast_scaling_desired_replicas${about('digits')}}`]: '4x60',
  [`ballast_scaling_ready_pods${about('wine')}}`]: '3x60',
  [`ballast_scaling_ready_pods${about('digits')}}`]: '2x60',
  [`ballast_cost_per_hour${about('wine')}}`]: '0.25x60',
  [`ballast_cost_per_hour${about('wine', 'b')}}`]: '0.25x60',
  [`ballast_cost_per_hour${about('digits')}}`]: '0.75x60',
};

const stats: readonly (readonly [title: string, values: readonly number[]])[] = [
  ['Promises kept', [0.5]],
  ['Kept from scaling', [1]],
  ['Replicas ready of wanted', [5, 7]],
  ['Cost per hour', [1]],
  // An hour of series, at 5 minutes each: the twelve samples up to now.
  ['Cost of the last 24 hours', [1]],
];

test.each(stats)('%s', (title, values) => {
  const panel = expressions.filter((one) => one.title === title).slice(0, values.length);
  const cases = panel.map(({ expr }, index) => ({
    expr,
    eval_time: '55m',
    exp_samples: [{ labels: '{}', value: values[index] }],
  }));
  const file = `${title.replaceAll(' ', '-')}.yaml`;
  writeFileSync(
    join(dir, file),
    dump({
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([name, steps]) => ({ series: name, values: steps })),
          promql_expr_test: cases,
        },
      ],
    }),
  );
  expect(run('test', 'rules', file)).toEqual({ code: 0, out: expect.stringContaining('SUCCESS') });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { simulateCommand } from './command.ts';
import { areaPlot, columnsOf, shareLine } from './terminal-plot.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ballast-simulate-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

const manifest = (name: string, more = '') => `
apiVersion: ballast.dev/v1alpha1
kind: ModelDeployment
metadata: { name: ${name} }
spec:
  model: { uri: "https://models.example.com/wine.onnx" }
  sla: { latency: { p95: 300ms, p99: 500ms } }
  scaling: { minReplicas: 1, maxReplicas: 40 }
  cost: { perReplicaHour: "0.12" }
${more}`;

const run = async (...args: string[]) => {
  let text = '';
  const code = await simulateCommand(args, {
    write: (more) => {
      text += more;
    },
    columns: 80,
  });
  return { code, text };
};

describe('ballast simulate', () => {
  test('says what callers would have seen and what it would have cost, with plots', async () => {
    const md = file('wine.yaml', manifest('wine'));
    const trace = file('steady.txt', '30\n'.repeat(300));
    const { code, text } = await run('-f', md, '--trace', trace, '--service-time', '100ms', '--slots', '1');
    expect(code).toBe(0);
    expect(text).toContain('wine under steady (300 counts, one per second; 00:05:00, mean 30.0 req/s)');
    expect(text).toMatch(/kept {3}p95 ≤ 300 ms/);
    expect(text).toMatch(/\d\.\d replica-hours, 0\.\d\d at 0\.12 per replica and hour/);
    expect(text).toMatch(/replicas\n +\d+ ┤█/);
  });

  test('a trace of seconds has a plot that can be read, its end apart from its beginning', async () => {
    const md = file('wine.yaml', manifest('wine'));
    const trace = file('short.txt', '30\n'.repeat(70));
    const { text } = await run('-f', md, '--trace', trace, '--service-time', '10ms');
    expect(text).toMatch(/^ {7}│·{70}$/m);
    expect(text).toMatch(/^ {7}00:00:00 {54}00:01:10$/m);
    const little = file('little.txt', '30\n'.repeat(10));
    expect((await run('-f', md, '--trace', little, '--service-time', '10ms')).text).toMatch(
      /00:00:00 +00:00:10$/m,
    );
  });

  test('a promise that is broken is exit code 1', async () => {
    const md = file('wine.yaml', manifest('wine'));
    const trace = file('flood.txt', '900\n'.repeat(120));
    const { code, text } = await run('-f', md, '--trace', trace, '--service-time', '100ms');
    expect(code).toBe(1);
    expect(text).toContain('BROKEN p99 ≤ 500 ms');
  });

  test('the promised error rate is a promise too, though all who are answered are so in time', async () => {
    const text = manifest('wine', '  traffic: { shedAt: SLA }')
      .replace('{ p95: 300ms, p99: 500ms }', '{ p50: 1s }, errorRate: 1%')
      .replace('maxReplicas: 40', 'maxReplicas: 1');
    const trace = file('over.txt', '15\n'.repeat(120));
    const told = await run('-f', file('errors.yaml', text), '--trace', trace, '--service-time', '100ms');
    expect(told.text).toMatch(/kept {3}p50 ≤ 1000 ms/);
    expect(told.text).toMatch(/BROKEN errorRate ≤ 1%: \d+\.\d\d % were refused or timed out/);
    expect(told.code).toBe(1);
  });

  test('JSON holds the same', async () => {
    const md = file('wine.yaml', manifest('wine'));
    const trace = file('steady.csv', 'second,count\r\n0,30\r\n1,30\r\n2,30\r\n');
    const { code, text } = await run('-f', md, '--trace', trace, '--service-time', '100ms', '--json');
    const told = JSON.parse(text);
    expect(code).toBe(0);
    expect(told).toMatchObject({
      name: 'wine',
      flaps: 0,
      promises: [{ percentile: 'p95' }, { percentile: 'p99' }],
    });
  });

  test.each([
    ['no manifest', [], 'with -f FILE'],
    ['no trace', ['-f', 'x.yaml'], 'with --trace FILE'],
    ['no service time', ['-f', 'x.yaml', '--trace', 'x'], '--service-time'],
    [
      'a service time that is none',
      ['-f', 'x', '--trace', 'x', '--service-time', 'quick'],
      'give a time such as 12ms',
    ],
    ['an unknown option', ['--frobnicate'], "Unknown option '--frobnicate'"],
    [
      'a file that is not there',
      ['-f', '/none.yaml', '--trace', 'x', '--service-time', '1ms'],
      '/none.yaml: cannot be read',
    ],
  ])('%s: exit code 2 and one line', async (_, args, message) => {
    const { code, text } = await run(...args);
    expect(code).toBe(2);
    expect(text).toContain(message);
  });

  test('a manifest that the API server would refuse is refused in its words', async () => {
    const md = file('wrong.yaml', manifest('wrong', '  nonsense: 1\n'));
    const { code, text } = await run('-f', md, '--trace', file('t.txt', '1\n2\n'), '--service-time', '1ms');
    expect(code).toBe(2);
    expect(text).toContain('unknown field "spec.nonsense"');
  });

  test('one of several is named, and a trace that is none says what is read', async () => {
    const md = file('two.yaml', `${manifest('one')}---${manifest('two')}`);
    const trace = file('t.txt', '1\n2\n');
    expect((await run('-f', md, '--trace', trace, '--service-time', '1ms')).text).toContain(
      'holds one, two: say which',
    );
    expect((await run('-f', md, '--name', 'two', '--trace', trace, '--service-time', '1ms')).text).toContain(
      'two under t',
    );
    const wrong = await run(
      '-f',
      md,
      '--name',
      'one',
      '--trace',
      file('w.txt', 'hello\nworld'),
      '--service-time',
      '1ms',
    );
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.text).toContain('accepted are');
  });
});

test('columns keep the mean or the largest', () => {
  expect(columnsOf([1, 3, 5, 7], 2, 'mean')).toEqual([2, 6]);
  expect(columnsOf([1, 3, 5, 7], 2, 'most')).toEqual([3, 7]);
  // A short trace fills the width too, every value as wide as the others.
  expect(columnsOf([1, 3], 5, 'mean')).toEqual([1, 1, 3, 3]);
  expect(columnsOf([], 5, 'mean')).toEqual([]);
});

test('an area and a line of shares in blocks', () => {
  expect(areaPlot('t', [0, 1, 2], 2)).toEqual(['t', '     2 ┤  █', '     0 ┤ ██']);
  expect(shareLine([0, 0.005, 0.05, 0.3, 0.9])).toBe('       │·░▒▓█');
});

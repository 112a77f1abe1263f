/** One plot per trace and way of shedding: the rate, then for each policy its replicas and what went wrong. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome, Point } from '../../simulator/replay.ts';
import type { Drawing, Shape } from './drawing.ts';
import { svgOf } from './drawing.ts';
import type { Options } from './options.ts';
import { pngOf } from './png.ts';
import type { Result } from './task.ts';
import type { Traffic } from './traffic.ts';

const [left, right, top] = [64, 16, 40];
const width = 960;
const panelHeight = 92;
const gap = 30;
const ink = '#222222';
const pale = '#d0d0d0';
const blue = '#1f5fa8';
const orange = '#d9822b';
const red = '#c62f2f';

/** A round number at or above. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1e-9, value)));
  return ([1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power || 1;
}

/** At most 450 points, each the mean of what it stands for. */
function thinned(points: readonly Point[]): Point[] {
  const size = Math.ceil(points.length / 450);
  if (size <= 1) return [...points];
  const thin: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    const part = points.slice(start, start + size);
    const mean = (pick: (point: Point) => number) =>
      part.reduce((sum, point) => sum + pick(point), 0) / part.length;
    thin.push({
      at: (part[0] as Point).at,
      rate: mean(({ rate }) => rate),
      asked: mean(({ asked }) => asked),
      ready: mean(({ ready }) => ready),
      bad: mean(({ bad }) => bad),
      requests: mean(({ requests }) => requests),
    });
  }
  return thin;
}

interface Panel {
  readonly title: string;
  readonly most: number;
  readonly draw: (x: (at: number) => number, y: (value: number) => number, base: number) => Shape[];
}

function panelShapes(panel: Panel, index: number, seconds: number): Shape[] {
  const y0 = top + index * (panelHeight + gap);
  const base = y0 + panelHeight;
  const x = (at: number) => left + (at / seconds) * (width - left - right);
  const y = (value: number) => base - (Math.min(value, panel.most) / panel.most) * panelHeight;
  const shapes: Shape[] = [
    { kind: 'text', x: left, y: y0 - 6, text: panel.title, size: 12, color: ink, anchor: 'start' },
  ];
  for (const share of [0, 0.5, 1]) {
    const value = panel.most * share;
    shapes.push({
      kind: 'line',
      points: [
        [left, y(value)],
        [width - right, y(value)],
      ],
      color: pale,
      width: 1,
    });
    shapes.push({
      kind: 'text',
      x: left - 6,
      y: y(value) + 4,
      text: String(Number(value.toPrecision(3))),
      size: 11,
      color: ink,
      anchor: 'end',
    });
  }
  return [...shapes, ...panel.draw(x, y, base)];
}

/** The plot of one trace. */
function plotOf(
  title: string,
  outcomes: readonly Outcome[],
  oracle: Outcome | undefined,
  seconds: number,
): Drawing {
  const first = outcomes[0] as Outcome;
  const rate = thinned(first.points);
  const ideal = oracle === undefined ? [] : thinned(oracle.points);
  const policies = outcomes.map((outcome) => ({ outcome, points: thinned(outcome.points) }));
  // One scale of replicas for all, so that they compare; a runaway is cut at four times the oracle's peak and its own peak is said.
  const highest = Math.max(1, ...policies.flatMap(({ points }) => points.map(({ asked }) => asked)));
  const most = ceiling(Math.min(highest, 4 * Math.max(1, ...ideal.map(({ ready }) => ready))));
  const panels: Panel[] = [
    {
      title: 'requests per second',
      most: ceiling(Math.max(...rate.map((point) => point.rate))),
      draw: (x, y) => [
        { kind: 'line', points: rate.map((point) => [x(point.at), y(point.rate)]), color: ink, width: 1 },
      ],
    },
    ...policies.map(
      ({ outcome, points }): Panel => ({
        title: `${outcome.policy}: ${(100 * outcome.violations).toFixed(2)} % violations, ${(outcome.replicaSeconds / 3_600).toFixed(1)} replica-hours${oracle === undefined ? '' : ` (${(outcome.replicaSeconds / oracle.replicaSeconds).toFixed(2)} x oracle)`}, peak ${outcome.peakReplicas}`,
        most,
        draw: (x, y, base) => {
          const step = (width - left - right) / Math.max(1, points.length);
          return [
            ...points.flatMap((point): Shape[] => {
              const share = point.requests === 0 ? 0 : point.bad / point.requests;
              if (share === 0) return [];
              const height = Math.max(1, share * panelHeight);
              return [
                {
                  kind: 'bar',
                  x: x(point.at),
                  y: base - height,
                  width: Math.max(1, step),
                  height,
                  color: share > 0.01 ? red : '#e8a0a0',
                },
              ];
            }),
            {
              kind: 'line',
              points: ideal.map((point) => [x(point.at), y(point.ready)]),
              color: '#8a8a8a',
              width: 1,
            },
            {
              kind: 'line',
              points: points.map((point) => [x(point.at), y(point.asked)]),
              color: orange,
              width: 1,
            },
            {
              kind: 'line',
              points: points.map((point) => [x(point.at), y(point.ready)]),
              color: blue,
              width: 2,
            },
          ];
        },
      }),
    ),
  ];
  const height = top + panels.length * (panelHeight + gap) + 16;
  const shapes: Shape[] = [
    { kind: 'text', x: left, y: 16, text: title, size: 14, color: ink, anchor: 'start' },
    ...panels.flatMap((panel, index) => panelShapes(panel, index, seconds)),
  ];
  for (let tick = 0; tick <= 6; tick += 1) {
    const at = (seconds * tick) / 6;
    shapes.push({
      kind: 'text',
      x: left + (at / seconds) * (width - left - right),
      y: height - 22,
      text: `${Math.round(at / 60)} min`,
      size: 11,
      color: ink,
      anchor: tick === 6 ? 'end' : 'middle',
    });
  }
  const keys: [string, string][] = [
    ['ready', blue],
    ['asked for', orange],
    ['oracle', '#8a8a8a'],
    ['bad share of 10 s (full height: all)', red],
  ];
  let at = left;
  for (const [text, color] of keys) {
    shapes.push({ kind: 'bar', x: at, y: height - 13, width: 10, height: 8, color });
    shapes.push({ kind: 'text', x: at + 14, y: height - 5, text, size: 11, color: ink, anchor: 'start' });
    at += 40 + 7 * text.length;
  }
  return { title, width, height, shapes };
}

/** Writes the plots of the first seed; returns the files. */
export function writePlots(
  directory: string,
  traffic: readonly Traffic[],
  results: readonly Result[],
  options: Options,
): string[] {
  const files: string[] = [];
  for (const { trace } of traffic)
    for (const shedAt of options.sheds) {
      const mine = results.filter((one) => one.trace === trace.name && one.seed === 1);
      const oracle = mine.find(({ policy }) => policy === 'oracle')?.outcome;
      const outcomes = mine
        .filter((one) => one.policy !== 'oracle' && one.shedAt === shedAt)
        .map(({ outcome }) => outcome);
      if (outcomes.length === 0) continue;
      const { setting } = options;
      const title = `${trace.name}, ${setting.service}, ${setting.percentile} <= ${setting.sloMs} ms, start-up ${setting.startup}, shedAt ${shedAt}, seed 1`;
      const drawing = plotOf(title, outcomes, oracle, trace.counts.length * trace.bucketSeconds);
      const file = join(directory, `${trace.name.replace(/[^\w.-]+/g, '-')}-${shedAt}`);
      writeFileSync(`${file}.svg`, svgOf(drawing));
      writeFileSync(`${file}.png`, pngOf(drawing));
      files.push(`${file}.svg`, `${file}.png`);
    }
  return files;
}

/** What a run prints, in Markdown: a table for each trace and a verdict on each target; for the terminal and for README.md. */
import { readFileSync } from 'node:fs';
import { messageOf } from '../../kube/log.ts';
import { OptionError } from './options.ts';
import type { Row } from './summary.ts';
import { tableOf } from './summary.ts';
import { verdictsOf } from './targets.ts';
import type { Kind } from './traffic.ts';

/** A trace by name, the target it is held to, and a line about it. */
export interface Noted {
  readonly name: string;
  readonly kind: Kind;
  readonly note: string;
}

type ShedAt = Row['shedAt'];

/** The tables of all traces with one way of shedding, each under a heading such as `###`. */
export function tablesOf(
  traces: readonly Noted[],
  rows: readonly Row[],
  shedAt: ShedAt,
  heading: string,
): string {
  return traces
    .map(({ name, note }) => {
      const mine = rows.filter(
        (row) => row.trace === name && (row.shedAt === shedAt || row.policy === 'oracle'),
      );
      return `${heading} ${note}\n\n${tableOf(mine)}`;
    })
    .join('\n\n');
}

/** A line for each trace that asks for more than the replicas that there may be: no policy can do well on it. */
export function shortOf(traces: readonly Noted[], rows: readonly Row[], maxReplicas: number): string {
  return traces
    .flatMap(({ name }) => {
      const peak = rows.find((row) => row.trace === name && row.policy === 'oracle')?.peakReplicas.mean ?? 0;
      return peak > maxReplicas
        ? [
            `${name}: the oracle itself takes up to ${Math.ceil(peak)} replicas and --max allows ${maxReplicas}: give a larger --max, or a smaller --scale`,
          ]
        : [];
    })
    .join('\n');
}

/** A line for each target with one way of shedding, and whether all are met. */
export function targetsOf(
  traces: readonly Noted[],
  rows: readonly Row[],
  shedAt: ShedAt,
  d90Seconds: number,
): { readonly text: string; readonly met: boolean } {
  const kinds = new Map(traces.map(({ name, kind }) => [name, kind]));
  const verdicts = verdictsOf(
    rows.filter((row) => row.shedAt === shedAt),
    kinds,
    d90Seconds,
  );
  const lines = verdicts.map(({ target, met, text }) => `- ${met ? 'MET   ' : 'MISSED'} ${target}: ${text}`);
  return { text: lines.join('\n'), met: verdicts.every(({ met }) => met) };
}

/** The rows of earlier runs, `results.json` of `--out`; where two have the same row the later file's counts. */
export function savedResults(paths: readonly string[]): { traces: readonly Noted[]; rows: readonly Row[] } {
  const traces = new Map<string, Noted>();
  const rows = new Map<string, Row>();
  for (const path of paths) {
    let saved: { traces: readonly Noted[]; rows: readonly Row[] };
    try {
      saved = JSON.parse(readFileSync(path, 'utf8')) as typeof saved;
      for (const trace of saved.traces) traces.set(trace.name, trace);
      for (const row of saved.rows)
        rows.set(JSON.stringify([row.trace, row.policy, row.policy === 'oracle' ? '' : row.shedAt]), row);
    } catch (error) {
      throw new OptionError(`--results ${path}: ${messageOf(error)}`);
    }
  }
  return { traces: [...traces.values()], rows: [...rows.values()] };
}

/** The text with what stands between `<!-- NAME -->` and `<!-- /NAME -->` replaced. */
export function withBlock(text: string, name: string, block: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(open);
  const to = text.indexOf(close);
  if (from < 0 || to < from) throw new OptionError(`README.md has no place ${open} … ${close}`);
  return `${text.slice(0, from + open.length)}\n\n${block}\n\n${text.slice(to)}`;
}

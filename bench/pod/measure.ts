/** Measures one model: starts every server, checks its answers, and loads them in turn, round after round. */
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClosedLoopFigures, closedLoop } from './closed-loop.ts';
import type { Contender } from './contenders.ts';
import type { Exchange, Form } from './exchange.ts';
import { type RowsPerSecond, rawNode, rawPython } from './limits.ts';
import { type BenchModel, benchModel } from './models.ts';
import { refuseAtSla } from './ours.ts';
import { measureOverload, type OverloadFigures } from './overload.ts';
import { freePort, type ServerProcess, type Setting, startServer } from './server-process.ts';
import type { Results } from './targets.ts';
import { venvOf } from './venv.ts';

export interface MeasureOptions {
  readonly name: string;
  readonly contenders: readonly Contender[];
  readonly connections: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly directory: string;
  readonly stateDir: string;
  readonly withOverload: boolean;
  readonly say: (line: string) => void;
}

/** All rounds of one server with one form of request at one number of connections. */
export interface Series {
  readonly contender: string;
  readonly form: Form;
  readonly connections: number;
  readonly rounds: readonly (ClosedLoopFigures & { cpuMicros: number })[];
}

/** A server that runs, and how it came up. */
interface Running {
  readonly contender: Contender;
  readonly setting: Setting;
  readonly process: ServerProcess;
  readonly startMs: number;
}

export interface MeasuredModel {
  readonly model: BenchModel;
  readonly series: readonly Series[];
  readonly starts: readonly { contender: string; startMs: number; rssMb: number }[];
  /** Rows per second of onnxruntime itself by round. */
  readonly raw: readonly { node: RowsPerSecond; python: RowsPerSecond }[];
  readonly overload: readonly OverloadFigures[];
  readonly results: Results;
}

const startPatienceMs = 90_000;
const rawSeconds = 1;
/**
 * Before anything counts, each server has this much of each load: what is measured is how it goes on. At 500 requests/s V8's
 * compilers took a tenth of the core in the first seconds of load and nothing after twenty (`perf`). How each begins is a figure of its own.
 */
const warmUpSeconds = 5;

/** Forms in which each model is sent; a server that lacks binary tensors gets JSON. */
const formsOf = (model: BenchModel): readonly Form[] =>
  model.name === 'tiny' ? ['json'] : model.name === 'cls' ? ['binary', 'json'] : ['binary'];

function formsFor({ forms }: Contender, model: BenchModel): readonly Form[] {
  const both = formsOf(model).filter((form) => forms.includes(form));
  return both.length === 0 ? ['json'] : both;
}

/** Measures a model with every contender. */
export async function measureModel(options: MeasureOptions): Promise<MeasuredModel> {
  const { name, contenders, say, stateDir } = options;
  const venv = venvOf('models', stateDir, say);
  const found = benchModel(name, join(stateDir, 'bench-models'), venv);
  const reference = rawPython(found, 0.1, venv);
  const model = {
    ...found,
    output: { ...found.output, name: reference.output, row: [...outputRow(found, reference.answer)] },
  };
  const running: Running[] = [];
  try {
    for (const contender of contenders) {
      say(`${name}: starting ${contender.name}`);
      running.push(await start(contender, model, reference.answer, options));
    }
    return await load(model, running, venv, options);
  } finally {
    await Promise.all(running.map(({ process }) => process.stop()));
  }
}

const outputRow = (model: BenchModel, answer: readonly number[]) =>
  model.output.row.length > 0 ? model.output.row : [answer.length];

async function start(
  contender: Contender,
  model: BenchModel,
  wanted: readonly number[],
  { directory, say }: MeasureOptions,
): Promise<Running> {
  const own = mkdtempSync(join(directory, `${contender.name}-`));
  const setting: Setting = { model, port: await freePort(), directory: own };
  const command = contender.command(setting);
  const logPath = join(own, 'log');
  const startMs = performance.now();
  const process = startServer(command, logPath);
  let isGone = false;
  void process.exited.then(() => {
    isGone = true;
  });
  try {
    const first = contender.exchange(setting, contender.forms[0] ?? 'json');
    let answer: Awaited<ReturnType<typeof ask>> | undefined;
    while (answer?.status !== 200) {
      if (isGone || performance.now() - startMs > startPatienceMs)
        throw new Error(`${contender.name} did not start: see ${logPath}`);
      answer = await ask(first).catch(() => undefined);
      if (answer?.status !== 200) await new Promise((resolve) => setTimeout(resolve, 3));
    }
    const tookMs = performance.now() - startMs;
    if (contender.name !== 'constant')
      for (const form of formsFor(contender, model))
        await check(contender, contender.exchange(setting, form), wanted);
    return { contender, setting, process, startMs: tookMs };
  } catch (error) {
    say(readFileSync(logPath, 'utf8').slice(-2_000));
    await process.stop();
    throw error;
  }
}

async function ask({ url, headers, body }: Exchange) {
  const answer = await fetch(url, {
    method: 'POST',
    headers,
    body: Uint8Array.from(body),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
}

/** A server is measured only when it answers what onnxruntime answers. */
async function check(contender: Contender, exchange: Exchange, wanted: readonly number[]): Promise<void> {
  const { status, body, headers } = await ask(exchange);
  const numbers = status === 200 ? exchange.numbersOf(body, headers) : [];
  const isRight =
    numbers.length === wanted.length &&
    wanted.every(
      (value, i) => Math.abs(value - (numbers[i] ?? Number.NaN)) <= 1e-4 * Math.max(1, Math.abs(value)),
    );
  if (!isRight)
    throw new Error(
      `${contender.name} answers ${status} ${body.toString().slice(0, 300)}, onnxruntime ${wanted.slice(0, 5).join(', ')}`,
    );
}

async function load(
  model: BenchModel,
  running: readonly Running[],
  venv: string,
  options: MeasureOptions,
): Promise<MeasuredModel> {
  const { rounds, seconds, connections, directory, say } = options;
  const series: Series[] = [];
  const raw: { node: RowsPerSecond; python: RowsPerSecond }[] = [];
  const collected = new Map<string, (ClosedLoopFigures & { cpuMicros: number })[]>();
  const work = join(directory, 'work');
  mkdirSync(work, { recursive: true });
  const plan = running.flatMap((one) => {
    return formsFor(one.contender, model).flatMap((form) =>
      connections.map((count) => ({ one, form, count })),
    );
  });
  say(`${model.name}: warming up, ${warmUpSeconds * plan.length} s`);
  for (const { one, form, count } of plan)
    await closedLoop(one.contender.exchange(one.setting, form), count, warmUpSeconds, work);
  for (let round = 0; round < rounds; round += 1) {
    say(`${model.name}: round ${round + 1} of ${rounds}`);
    raw.push({ node: rawNode(model, rawSeconds), python: rawPython(model, rawSeconds, venv).rowsPerSecond });
    for (const { one, form, count } of plan) {
      const exchange = one.contender.exchange(one.setting, form);
      const before = one.process.cpuSeconds();
      const figures = await closedLoop(exchange, count, seconds, work);
      if (figures.failed > figures.sent / 1_000)
        throw new Error(`${one.contender.name} failed ${figures.failed} of ${figures.sent} requests`);
      const cpuMicros = ((one.process.cpuSeconds() - before) * 1e6) / Math.max(1, figures.sent);
      const key = `${one.contender.name} ${form} ${count}`;
      let list = collected.get(key);
      if (list === undefined) {
        list = [];
        collected.set(key, list);
        series.push({ contender: one.contender.name, form, connections: count, rounds: list });
      }
      list.push({ ...figures, cpuMicros });
    }
  }
  const starts = running.map(({ contender, process, startMs }) => ({
    contender: contender.name,
    startMs,
    rssMb: process.rssMb(),
  }));
  const ours = running.find(({ contender }) => contender.name === 'ballast');
  const capacity = medianOf(
    series.find(({ contender, connections: count }) => contender === 'ballast' && count >= 32)?.rounds ?? [],
    'requestsPerSecond',
  );
  const isSlow = medianRaw(raw, 1) < 1_000;
  let overload: OverloadFigures[] = [];
  if (options.withOverload && ours !== undefined && isSlow && capacity > 0) {
    await refuseAtSla(ours.setting);
    overload = await measureOverload(ours.contender.exchange(ours.setting, 'binary'), capacity, work, say);
  }
  return { model, series, starts, raw, overload, results: resultsOf(model, series, raw, starts) };
}

/** The median of a figure over the rounds; 0 without any. */
export function medianOf<K extends string>(rounds: readonly Readonly<Record<K, number>>[], key: K): number {
  const sorted = rounds.map((one) => one[key]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The median of Node's rows per second at a batch size. */
export const medianRaw = (raw: readonly { node: RowsPerSecond }[], batch: number): number =>
  medianOf(
    raw.map(({ node }) => ({ rate: node[batch] ?? 0 })),
    'rate',
  );

function resultsOf(
  model: BenchModel,
  series: readonly Series[],
  raw: readonly { node: RowsPerSecond }[],
  starts: MeasuredModel['starts'],
): Results {
  const ours = starts.find(({ contender }) => contender === 'ballast');
  return {
    model,
    closed(contender, form, connections) {
      const one = series.find(
        (candidate) =>
          candidate.contender === contender &&
          candidate.form === form &&
          candidate.connections === connections,
      );
      if (one === undefined) return undefined;
      return {
        requestsPerSecond: medianOf(one.rounds, 'requestsPerSecond'),
        p50Ms: medianOf(one.rounds, 'p50Ms'),
        p99Ms: medianOf(one.rounds, 'p99Ms'),
      };
    },
    rawRowsPerSecond: (batch) => medianRaw(raw, batch),
    ours,
  };
}

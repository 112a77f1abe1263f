/** All that is asked of one model: the cases one by one, many at once, and in both forms. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askBinary, askJson, HttpError } from './ask.ts';
import { compare } from './compare.ts';
import { Refused, serve } from './serve.ts';
import { type Answer, readWritten, type WrittenTensor } from './tensors.ts';

/** One request that a generator wrote down, with what Python's onnxruntime answered. */
interface WrittenCase {
  readonly kind: 'single' | 'several' | 'none';
  readonly inputs: readonly WrittenTensor[];
  readonly outputs?: readonly WrittenTensor[];
  /** Python's onnxruntime refused it. */
  readonly error?: string;
}

interface WrittenModel {
  readonly name: string;
  readonly madeBy: string;
  readonly cases: readonly WrittenCase[];
  readonly signature?: { readonly inputs: readonly string[]; readonly outputs: readonly string[] };
  readonly refused?: { readonly reason: string; readonly words: string };
  readonly notBatched?: boolean;
}

interface Case {
  readonly kind: WrittenCase['kind'];
  readonly inputs: readonly Answer[];
  /** Undefined: Python refused to run on no rows. */
  readonly outputs: readonly Answer[] | undefined;
}

interface TensorHead {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** What the table says of a model. */
export interface Report {
  readonly name: string;
  readonly madeBy: string;
  inputs: string;
  outputs: string;
  rowsChecked: number;
  largestDifference: number;
  batching: string;
  passed: number;
  readonly failures: string[];
}

/** How often all cases are sent at once. */
const rounds = 3;

/** Serves a model of the corpus and holds every answer against Python's. */
export async function checkModel(folder: string, program: string): Promise<Report> {
  const written = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as WrittenModel;
  const report: Report = {
    name: written.name,
    madeBy: written.madeBy,
    inputs: '',
    outputs: '',
    rowsChecked: 0,
    largestDifference: 0,
    batching: '',
    passed: 0,
    failures: [],
  };
  const check = async (name: string, body: () => Promise<void> | void) => {
    try {
      await body();
      report.passed += 1;
    } catch (error) {
      report.failures.push(`${written.name}, ${name}: ${error instanceof Error ? error.message : error}`);
    }
  };
  const path = join(folder, 'model.onnx');
  if (written.refused !== undefined) {
    const { reason, words } = written.refused;
    await check('is refused', () => expectRefusal(program, path, reason, new RegExp(words)));
    report.batching = `refused: ${reason}`;
    return report;
  }
  let served: Awaited<ReturnType<typeof serve>> | undefined;
  await check('is served', async () => {
    served = await serve(program, path);
  });
  if (served === undefined) return report;
  const { url, remark } = served;
  try {
    report.batching =
      /^batches of up to (\d+)/.exec(remark)?.[1] ?? `no: ${remark.replace(/^not batched: /, '')}`;
    if (written.notBatched === true)
      await check('is not batched', () => {
        if (/^batches of up to (?!1 )/.test(remark)) throw new Error(remark);
      });
    await check('metadata', () => readMetadata(url, written, report));
    const cases = written.cases.map(
      ({ kind, inputs, outputs }): Case => ({
        kind,
        inputs: inputs.map(readWritten),
        outputs: outputs?.map(readWritten),
      }),
    );
    await checkForm(
      cases,
      (inputs) => askJson(url, inputs),
      report,
      (name, body) => check(`JSON, ${name}`, body),
    );
    await checkForm(
      cases,
      (inputs) => askBinary(url, inputs),
      report,
      (name, body) => check(`binary, ${name}`, body),
    );
  } finally {
    await served.stop();
  }
  return report;
}

async function expectRefusal(program: string, path: string, reason: string, words: RegExp): Promise<void> {
  const served = await serve(program, path).catch((error: unknown) => {
    if (!(error instanceof Refused)) throw error;
    if (error.reason !== reason || !words.test(error.message))
      throw new Error(`refused with ${error.reason}: ${error.message}`);
    return undefined;
  });
  if (served === undefined) return;
  await served.stop();
  throw new Error('it is served');
}

async function readMetadata(url: string, { signature }: WrittenModel, report: Report): Promise<void> {
  const response = await fetch(`${url}/v2/models/m`);
  const metadata = (await response.json()) as { inputs: TensorHead[]; outputs: TensorHead[] };
  const names = (heads: readonly TensorHead[]) => heads.map(({ name }) => name).join();
  if (
    names(metadata.inputs) !== signature?.inputs.join() ||
    names(metadata.outputs) !== signature.outputs.join()
  )
    throw new Error(
      `${names(metadata.inputs)} → ${names(metadata.outputs)}, wanted ${JSON.stringify(signature)}`,
    );
  const say = (heads: readonly TensorHead[]) => {
    const all = heads.map(
      ({ datatype, shape }) => `${datatype}[${shape.map((dim) => (dim < 0 ? '·' : dim)).join()}]`,
    );
    return all.length > 3 ? `${all.slice(0, 2).join(' ')} and ${all.length - 2} more` : all.join(' ');
  };
  report.inputs = say(metadata.inputs);
  report.outputs = say(metadata.outputs);
}

const hasHalves = (tensors: readonly Answer[]) => tensors.some(({ datatype }) => datatype === 'FP16');

/** The cases in one form: each alone, then all at once, so that they share batches. */
async function checkForm(
  cases: readonly Case[],
  ask: (inputs: readonly Answer[]) => Promise<Answer[]>,
  report: Report,
  check: (name: string, body: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const isJson = (error: unknown) =>
    error instanceof HttpError && error.status === 400 && /FP16/.test(error.message);
  const one = async ({ kind, inputs, outputs }: Case, isBatched = false) => {
    const needsBinary = hasHalves(inputs) || hasHalves(outputs ?? []);
    let got: Answer[];
    try {
      got = await ask(inputs);
    } catch (error) {
      if (needsBinary && isJson(error)) return;
      throw error;
    }
    if (outputs === undefined) {
      if (got.some(({ data }) => data.length > 0)) throw new Error('an answer to no rows has elements');
      return;
    }
    report.largestDifference = Math.max(
      report.largestDifference,
      compare(outputs, got, { isEmpty: kind === 'none', isBatched }),
    );
    report.rowsChecked += Math.max(1, kind === 'none' ? 0 : (inputs[0]?.shape[0] ?? 1));
  };
  for (const kind of ['single', 'several', 'none'] as const) {
    const some = cases.filter((item) => item.kind === kind);
    if (some.length > 0)
      await check(`${kind} ${kind === 'single' ? 'requests' : 'rows'}`, async () => {
        for (const item of some) await one(item);
      });
  }
  await check('all at once', async () => {
    for (let round = 0; round < rounds; round += 1)
      // All are waited for, also when one fails: the pod is stopped afterwards.
      for (const result of await Promise.allSettled(cases.map((item) => one(item, true))))
        if (result.status === 'rejected') throw result.reason;
  });
}

/** The models of the bench: three that are made here, and two real ones that Python packages ship. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { model, node, tensor } from '../../inference-pod/testing/onnx.ts';
import { sitePackages } from './venv.ts';

export interface BenchModel {
  readonly name: string;
  readonly path: string;
  readonly megabytes: number;
  readonly input: {
    readonly name: string;
    readonly datatype: 'FP32' | 'INT32';
    readonly row: readonly number[];
  };
  readonly output: { readonly name: string; readonly row: readonly number[] };
}

/** The same numbers in every run: answers can be compared, and no denormals slow a server down. */
export function madeUpNumbers(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 1_073_741_824 - 1;
  });
}

/** A multilayer perceptron; weights are scaled so that sums stay near 1. */
function perceptron(sizes: readonly number[], isClassifier: boolean): Uint8Array {
  const nodes: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  let from = 'x';
  for (let layer = 1; layer < sizes.length; layer += 1) {
    const [rows, columns] = [sizes[layer - 1] ?? 1, sizes[layer] ?? 1];
    const weights = madeUpNumbers(rows * columns, layer).map((value) => value / Math.sqrt(rows));
    initializers.push(tensor(`w${layer}`, 'FP32', [rows, columns], weights));
    initializers.push(tensor(`b${layer}`, 'FP32', [columns], madeUpNumbers(columns, 100 + layer)));
    const isLast = layer === sizes.length - 1;
    const sum = isLast && !isClassifier ? 'y' : `z${layer}`;
    nodes.push(node('Gemm', [from, `w${layer}`, `b${layer}`], [sum]));
    if (!isLast) nodes.push(node('Relu', [sum], [`a${layer}`]));
    else if (isClassifier) nodes.push(node('Softmax', [sum], ['y'], { axis: { int: 1 } }));
    from = `a${layer}`;
  }
  return model({
    inputs: [{ name: 'x', type: 'FP32', shape: ['N', sizes[0] ?? 1] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['N', sizes.at(-1) ?? 1] }],
    nodes,
    initializers,
  });
}

const perceptrons: Readonly<Record<string, [sizes: number[], isClassifier: boolean]>> = {
  tiny: [[4, 3], true],
  small: [[256, 1024, 1024, 10], false],
  medium: [[1024, 4096, 4096, 10], false],
};

/** Real models: where their packages keep them, and what a row of theirs is. */
const shipped: Readonly<Record<string, Omit<BenchModel, 'name' | 'path' | 'megabytes'> & { file: string }>> =
  {
    cls: {
      file: 'rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx',
      input: { name: 'x', datatype: 'FP32', row: [3, 48, 192] },
      output: { name: '', row: [2] },
    },
    magika: {
      file: 'magika/models/standard_v3_3/model.onnx',
      input: { name: 'bytes', datatype: 'INT32', row: [2048] },
      output: { name: 'target_label', row: [] },
    },
  };

/** Names of all models, in the order of the tables. */
export const modelNames = [...Object.keys(perceptrons), ...Object.keys(shipped)];

/** Makes or finds a model; files are kept in `directory`. */
export function benchModel(name: string, directory: string, venv: string): BenchModel {
  mkdirSync(directory, { recursive: true });
  const made = perceptrons[name];
  if (made !== undefined) {
    const [sizes, isClassifier] = made;
    const key = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 8);
    const path = join(directory, `${name}-${key}.onnx`);
    if (!existsSync(path)) writeFileSync(path, perceptron(sizes, isClassifier));
    const input = { name: 'x', datatype: 'FP32' as const, row: sizes.slice(0, 1) };
    return { name, path, megabytes: size(path), input, output: { name: 'y', row: sizes.slice(-1) } };
  }
  const real = shipped[name];
  if (real === undefined) throw new Error(`there is no model '${name}': ${modelNames.join(', ')}`);
  const path = join(directory, `${name}.onnx`);
  if (!existsSync(path)) writeFileSync(path, readFileSync(join(sitePackages(venv), real.file)));
  const { input, output } = real;
  return { name, path, megabytes: size(path), input, output };
}

const size = (path: string) => statSync(path).size / 1e6;

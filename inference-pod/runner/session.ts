/** The only place that knows onnxruntime-node: loads a model and runs one batch at a time. */
import { env, InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Tensor, TensorData } from '../../protocol/datatypes.ts';
import type { RunnerOptions } from './messages.ts';
import { datatypeOf, ortTypes } from './types.ts';

export interface Session {
  run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]>;
  close(): Promise<void>;
}

/** Errors come back as errors: onnxruntime's own lines on stderr would be no JSON and could quote what a caller sent. */
const silent = 4;

/** Loads the model; the promise is rejected with onnxruntime's own words. */
export const openSession = async (options: RunnerOptions): Promise<Session> => {
  env.logLevel = 'fatal';
  const sessionOptions: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: silent,
  };
  const session =
    options.modelBytes === undefined
      ? await InferenceSession.create(options.modelPath, sessionOptions)
      : await InferenceSession.create(options.modelBytes, sessionOptions);
  return {
    run: async (inputs, outputs) => {
      const feeds: Record<string, OrtTensor> = Object.create(null) as Record<string, OrtTensor>;
      for (const input of inputs) feeds[input.name] = toOrt(input);
      const results = await session.run(feeds, outputs, { logSeverityLevel: silent });
      return outputs.map((name) => fromOrt(name, results[name]));
    },
    close: () => session.release(),
  };
};

type AnyTensorConstructor = new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;

const toOrt = (tensor: Tensor): OrtTensor => {
  const made = new (OrtTensor as unknown as AnyTensorConstructor)(
    ortTypes[tensor.datatype] ?? tensor.datatype,
    tensor.data,
    tensor.shape,
  );
  // onnxruntime-common makes Node's Float16Array of it, which onnxruntime-node's native half takes for an empty one.
  if (tensor.datatype === 'FP16') Object.defineProperty(made, 'data', { value: tensor.data });
  return made;
};

const fromOrt = (name: string, value: OrtTensor | undefined): Tensor => {
  if (value === undefined) throw new Error(`onnxruntime returned no output '${name}'`);
  if (typeof value.dims === 'undefined' || typeof value.type !== 'string')
    throw new Error(`output '${name}' is no tensor`);
  let data = value.data as unknown;
  // Node 24 has a Float16Array; the protocol carries the raw 16 bits.
  if (value.type === 'float16' && ArrayBuffer.isView(data) && !(data instanceof Uint16Array))
    data = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  return { name, datatype: datatypeOf(value.type), shape: [...value.dims], data: data as TensorData };
};

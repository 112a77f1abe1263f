/**
 * Models whose runs are so short that the way to another thread and back costs more than they do: small, of operators whose
 * work follows from the shapes alone, with rows of one size. Such a run cannot hang. Pure.
 */
import type { TensorSpec } from '../../protocol/datatypes.ts';

/** Most bytes of the file, and so of the weights: each row touches each weight a few times at most. */
const mostBytes = 65_536;
const mostNodes = 64;
/** Most elements of one row, all inputs together. */
const mostElements = 1_024;

/** No loops, no branches, nothing whose output is larger for other values of the same shape, no texts. */
const bounded = new Set([
  ...[
    'Abs',
    'Add',
    'ArgMax',
    'BatchNormalization',
    'Cast',
    'Clip',
    'Concat',
    'Constant',
    'Div',
    'Dropout',
    'Elu',
  ],
  ...['Erf', 'Exp', 'Flatten', 'Gelu', 'Gemm', 'HardSigmoid', 'HardSwish', 'Identity', 'LayerNormalization'],
  ...['LeakyRelu', 'Log', 'LogSoftmax', 'MatMul', 'Max', 'Min', 'Mul', 'Neg', 'PRelu', 'Pow', 'ReduceMax'],
  ...[
    'ReduceMean',
    'ReduceMin',
    'ReduceSum',
    'Relu',
    'Selu',
    'Sigmoid',
    'Sign',
    'Softmax',
    'Softplus',
    'Softsign',
  ],
  ...['Sqrt', 'Squeeze', 'Sub', 'Sum', 'Tanh', 'Transpose', 'Unsqueeze'],
  ...[
    'ArrayFeatureExtractor',
    'Binarizer',
    'Imputer',
    'LinearClassifier',
    'LinearRegressor',
    'Normalizer',
    'Scaler',
  ],
  ...['SVMClassifier', 'SVMRegressor', 'TreeEnsembleClassifier', 'TreeEnsembleRegressor', 'ZipMap'],
]);

export interface QuickFacts {
  readonly bytes: number;
  readonly nodes: number;
  readonly operators: ReadonlySet<string>;
  readonly hasFunctions: boolean;
  readonly mayBatch: boolean;
  readonly inputs: readonly TensorSpec[];
}

/** True when runs of the model are short by construction; how short is still to be measured. */
export const isQuick = ({ bytes, nodes, operators, hasFunctions, mayBatch, inputs }: QuickFacts): boolean => {
  if (bytes > mostBytes || nodes > mostNodes || hasFunctions || !mayBatch) return false;
  for (const operator of operators) if (!bounded.has(operator)) return false;
  let elements = 0;
  for (const { shape, datatype, anyShape } of inputs) {
    if (datatype === 'BYTES' || anyShape === true) return false;
    const row = shape.slice(1);
    if (row.some((dim) => dim < 1)) return false;
    elements += row.reduce((product, dim) => product * dim, 1);
  }
  return elements <= mostElements;
};

/** The schemas of this model's requests and answers: exact names, datatypes and shapes of its tensors. */
import type { Datatype, ModelSignature, TensorSpec } from '../../protocol/datatypes.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A reference to a component of the document. */
export const ref = (kind: 'schemas' | 'responses' | 'parameters', name: string): Json => ({
  $ref: `#/components/${kind}/${name}`,
});

/** `components.schemas` of a model's document. */
export const schemasOf = (
  name: string,
  version: string | undefined,
  signature: ModelSignature | undefined,
): Json => {
  const inputs = signature?.inputs ?? [];
  const outputs = signature?.outputs ?? [];
  const named = (kind: string, specs: readonly TensorSpec[], make: (spec: TensorSpec) => Json) =>
    Object.fromEntries(specs.map((spec, i) => [`${kind}${i + 1}`, make(spec)]));
  return {
    InferRequest: {
      type: 'object',
      required: ['inputs'],
      properties: {
        id: { type: 'string', description: 'Comes back in the answer.' },
        parameters: ref('schemas', 'Parameters'),
        inputs: tensorList('Input', inputs, 'Every input of the model, in any order.', true),
        outputs: {
          type: 'array',
          description: 'The wanted outputs; all of them when this is left out.',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: {
                type: 'string',
                ...(outputs.length === 0 ? {} : { enum: outputs.map((output) => output.name) }),
              },
              parameters: ref('schemas', 'OutputParameters'),
            },
          },
        },
      },
    },
    InferAnswer: {
      type: 'object',
      required: ['model_name', 'outputs'],
      properties: {
        model_name: { const: name },
        ...(version === undefined ? {} : { model_version: { const: version } }),
        id: { type: 'string' },
        outputs: tensorList(
          'Output',
          outputs,
          'The wanted outputs, in the order of the request or the model.',
          false,
        ),
      },
    },
    ...named('Input', inputs, (spec) => tensor(spec, 'input')),
    ...named('Output', outputs, (spec) => tensor(spec, 'output')),
    PredictRequest: predictRequest(inputs),
    PredictAnswer: {
      type: 'object',
      description: '`predictions` for `instances`, `outputs` for `inputs`.',
      properties: { predictions: { type: 'array' }, outputs: {} },
    },
    Statistics: {
      type: 'object',
      required: ['model_stats'],
      properties: { model_stats: { type: 'array', items: { type: 'object', required: ['name'] } } },
    },
    Parameters: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
    },
    OutputParameters: {
      type: 'object',
      properties: {
        binary_data: { type: 'boolean', description: 'True: as bytes behind the JSON of the answer.' },
        classification: {
          type: 'integer',
          minimum: 1,
          description:
            'So many highest values of each row as "value:index", of datatype BYTES, instead of the tensor.',
        },
      },
    },
    Error: { type: 'object', required: ['error'], properties: { error: { type: 'string' } } },
    ServerMetadata: {
      type: 'object',
      required: ['name', 'version', 'extensions'],
      properties: {
        name: { type: 'string' },
        version: { type: 'string' },
        extensions: { type: 'array', items: { type: 'string' } },
      },
    },
    ModelMetadata: {
      type: 'object',
      required: ['name', 'platform', 'inputs', 'outputs'],
      properties: {
        name: { const: name },
        versions: { type: 'array', items: { type: 'string' } },
        platform: { type: 'string' },
        inputs: { type: 'array', items: ref('schemas', 'TensorMetadata') },
        outputs: { type: 'array', items: ref('schemas', 'TensorMetadata') },
      },
    },
    TensorMetadata: {
      type: 'object',
      required: ['name', 'datatype', 'shape'],
      properties: {
        name: { type: 'string' },
        datatype: { type: 'string' },
        shape: { type: 'array', items: { type: 'integer', minimum: -1 } },
      },
    },
  };
};

/** A list of tensors of which each is one of the model's; `all`: none may be missing. */
const tensorList = (kind: string, specs: readonly TensorSpec[], description: string, all: boolean): Json => {
  if (specs.length === 0) return { type: 'array', description, items: { type: 'object' } };
  const each = specs.map((_spec, i) => ref('schemas', `${kind}${i + 1}`));
  return {
    type: 'array',
    description,
    items: each.length === 1 ? each[0] : { anyOf: each },
    ...(all ? { minItems: each.length } : {}),
    maxItems: each.length,
    ...(all && each.length > 1 ? { allOf: each.map((one) => ({ contains: one })) } : {}),
  };
};

const tensor = (spec: TensorSpec, side: 'input' | 'output'): Json => {
  const element = elementOf(spec.datatype);
  const data =
    element === undefined
      ? {}
      : {
          data: {
            type: 'array',
            description:
              side === 'input'
                ? 'The elements, flat in row-major order or nested as the shape says.'
                : 'The elements, flat in row-major order.',
            items: side === 'input' ? { anyOf: [element, { type: 'array' }] } : element,
          },
        };
  return {
    type: 'object',
    title: spec.name,
    ...(element === undefined
      ? { description: `${spec.datatype} has no JSON form: binary tensor data only.` }
      : {}),
    required: ['name', 'shape', 'datatype', ...(element === undefined ? [] : ['data'])],
    properties: {
      name: { const: spec.name },
      shape: shapeSchema(spec),
      datatype: { const: spec.datatype },
      parameters: ref('schemas', 'Parameters'),
      ...data,
    },
  };
};

const shapeSchema = ({ shape, anyShape }: TensorSpec): Json => {
  const any = { type: 'integer', minimum: 0 };
  if (anyShape === true) return { type: 'array', items: any };
  if (shape.length === 0) return { type: 'array', maxItems: 0, items: any };
  return {
    type: 'array',
    prefixItems: shape.map((dim) => (dim === -1 ? any : { const: dim })),
    items: any,
    minItems: shape.length,
    maxItems: shape.length,
  };
};

const whole = (bits: number, isSigned: boolean): Json => ({
  type: 'integer',
  minimum: isSigned ? -(2 ** (bits - 1)) : 0,
  maximum: isSigned ? 2 ** (bits - 1) - 1 : 2 ** bits - 1,
});

/** The JSON form of one element; undefined where there is none. */
const elementOf = (datatype: Datatype): Json | undefined => {
  switch (datatype) {
    case 'BOOL':
      return { type: 'boolean' };
    case 'BYTES':
      return { type: 'string' };
    case 'FP32':
      return { type: 'number', format: 'float' };
    case 'FP64':
      return { type: 'number', format: 'double' };
    case 'FP16':
    case 'BF16':
      return undefined;
    // Bounds of 64 bits cannot be written exactly as most readers read them.
    case 'INT64':
      return { type: 'integer', format: 'int64' };
    case 'UINT64':
      return { type: 'integer', minimum: 0 };
    default: {
      const bits = Number(/\d+$/.exec(datatype)?.[0] ?? 32);
      return whole(bits, datatype.startsWith('INT'));
    }
  }
};

/** KServe's V1: rows under `instances`, or whole tensors under `inputs`. */
const predictRequest = (inputs: readonly TensorSpec[]): Json => {
  const names = inputs.map((input) => input.name);
  const byName = { type: 'object', ...(names.length === 0 ? {} : { required: names }) };
  return {
    type: 'object',
    oneOf: [{ required: ['instances'] }, { required: ['inputs'] }],
    properties: {
      instances: {
        type: 'array',
        description:
          names.length === 1
            ? 'One item per row: the row itself, nested as the shape says.'
            : 'One item per row: an object with a value for each input.',
        ...(names.length > 1 ? { items: byName } : {}),
      },
      inputs: {
        description: 'The whole tensor, nested as the shape says; of several inputs an object with each.',
        ...(names.length > 1 ? byName : {}),
      },
    },
  };
};

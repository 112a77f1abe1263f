/** `GET /openapi.json`: this model's own interface, its tensors with their names, datatypes and shapes, as OpenAPI 3.1. */
import type { Datatype, ModelSignature, TensorSpec } from '../../protocol/datatypes.ts';
import type { ExampleRequest } from './page/example.ts';

export interface OpenApiContent {
  readonly name: string;
  readonly version: string | undefined;
  readonly serverVersion: string;
  /** Undefined while the model is not known yet: the document then says what holds for any. */
  readonly signature: ModelSignature | undefined;
  readonly example: ExampleRequest | undefined;
}

type Json = Readonly<Record<string, unknown>>;

const ref = (kind: 'schemas' | 'responses' | 'parameters', name: string): Json => ({
  $ref: `#/components/${kind}/${name}`,
});
const jsonBody = (schema: Json, example?: unknown): Json => ({
  content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
});

/** The whole document. */
export const openApiDocument = (content: OpenApiContent): Json => {
  const { name, version } = content;
  const model = `/v2/models/${encodeURIComponent(name)}`;
  const bases = version === undefined ? [model] : [model, `${model}/versions/${encodeURIComponent(version)}`];
  const paths: Record<string, Json> = {
    '/v2': get('serverMetadata', 'The server', {
      200: json('What serves.', ref('schemas', 'ServerMetadata')),
    }),
    '/v2/health/live': get('serverLive', 'Is the process alive?', { 200: json('It is.', health) }),
    '/v2/health/ready': get('serverReady', 'Does it take requests?', {
      200: json('It does.', health),
      503: json('Not now; `error` says why.', health),
    }),
  };
  for (const [i, base] of bases.entries()) {
    // The same once more under the version's path; operation ids must differ.
    const suffix = i === 0 ? '' : 'OfVersion';
    paths[base] = get(`modelMetadata${suffix}`, 'Inputs and outputs of the model', {
      200: json('The model.', ref('schemas', 'ModelMetadata')),
      503: ref('responses', 'Unavailable'),
    });
    paths[`${base}/ready`] = get(`modelReady${suffix}`, 'Does the model take requests?', {
      200: json('It does.', modelReady),
      503: json('Not now; `error` says why.', modelReady),
    });
    paths[`${base}/infer`] = { post: infer(`infer${suffix}`, content) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: name,
      version: version ?? 'unversioned',
      description: `The ONNX model ${markdown(name)}, by the Open Inference Protocol V2. Made by Ballast ${content.serverVersion} from the model itself.`,
    },
    servers: [{ url: './', description: 'Where this document comes from' }],
    paths,
    components: { schemas: schemas(content), responses, parameters },
  };
};

const get = (operationId: string, summary: string, answers: Readonly<Record<number, Json>>): Json => ({
  get: { operationId, summary, responses: answers },
});

const json = (description: string, schema: Json): Json => ({ description, ...jsonBody(schema) });

const health: Json = {
  type: 'object',
  required: ['live'],
  properties: { live: { type: 'boolean' }, ready: { type: 'boolean' }, error: { type: 'string' } },
};
const modelReady: Json = {
  type: 'object',
  required: ['name', 'ready'],
  properties: { name: { type: 'string' }, ready: { type: 'boolean' }, error: { type: 'string' } },
};

const infer = (operationId: string, { example }: OpenApiContent): Json => ({
  operationId,
  summary: 'Ask the model',
  parameters: ['RequestId', 'TraceParent', 'TimeoutMs'].map((name) => ref('parameters', name)),
  requestBody: { required: true, ...jsonBody(ref('schemas', 'InferRequest'), example) },
  responses: {
    200: {
      description: 'The model’s answer.',
      headers: { 'x-request-id': { schema: { type: 'string' } } },
      ...jsonBody(ref('schemas', 'InferAnswer')),
    },
    400: ref('responses', 'BadRequest'),
    413: ref('responses', 'TooLarge'),
    429: ref('responses', 'Overloaded'),
    500: ref('responses', 'Failed'),
    503: ref('responses', 'Unavailable'),
    504: ref('responses', 'TooLate'),
  },
});

const retryAfter = {
  'retry-after': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
};
const failure = (description: string, headers?: Json): Json => ({
  description,
  ...(headers === undefined ? {} : { headers }),
  ...jsonBody(ref('schemas', 'Error')),
});
const responses: Json = {
  BadRequest: failure('The request is not one that this model can take.'),
  TooLarge: failure('The body is larger than `runtime.limits.maxBodyBytes`.'),
  Overloaded: failure('Too much waits already.', retryAfter),
  Failed: failure('The model failed on this request.'),
  Unavailable: failure('The model is being loaded, or the pod is shutting down.', retryAfter),
  TooLate: failure('Not answered within the time that was allowed.'),
};

const header = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
});
const parameters: Json = {
  RequestId: header('x-request-id', 'Comes back in the answer and stands in the log.', {
    type: 'string',
    pattern: '^[\\x21-\\x7e]{1,128}$',
  }),
  TraceParent: header('traceparent', 'W3C trace context.', { type: 'string' }),
  TimeoutMs: header(
    'x-request-timeout-ms',
    'How long the caller waits; it can only shorten what holds anyway.',
    {
      type: 'integer',
      minimum: 1,
    },
  ),
};

const schemas = (content: OpenApiContent): Json => {
  const { name, version, signature } = content;
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
              parameters: ref('schemas', 'Parameters'),
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
    Parameters: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
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

/** A name inside of text that is read as CommonMark. */
const markdown = (text: string) => `\`${text.replaceAll('`', 'ˋ')}\``;

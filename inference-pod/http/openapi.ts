/** `GET /openapi.json`: this model's own interface, its tensors with their names, datatypes and shapes, as OpenAPI 3.1. */
import type { ModelSignature } from '../../protocol/datatypes.ts';
import { type Json, ref, schemasOf } from './openapi-schemas.ts';
import type { ExampleRequest } from './page/example.ts';

export interface OpenApiContent {
  readonly name: string;
  readonly version: string | undefined;
  readonly serverVersion: string;
  /** Undefined while the model is not known yet: the document then says what holds for any. */
  readonly signature: ModelSignature | undefined;
  readonly example: ExampleRequest | undefined;
}

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
    paths[`${base}/stats`] = get(`statistics${suffix}`, 'What was asked and how long it took', {
      200: json('Counts and nanoseconds since the start.', ref('schemas', 'Statistics')),
    });
  }
  const v1 = `/v1/models/${encodeURIComponent(name)}`;
  paths[v1] = get('v1ModelReady', 'Does the model take requests?', {
    200: json('It does.', modelReady),
    503: json('Not now; `error` says why.', modelReady),
  });
  paths[`${v1}:predict`] = { post: predict(content) };
  return {
    openapi: '3.1.0',
    info: {
      title: name,
      version: version ?? 'unversioned',
      description: `The ONNX model ${markdown(name)}, by the Open Inference Protocol V2. Made by Ballast ${content.serverVersion} from the model itself.`,
    },
    servers: [{ url: './', description: 'Where this document comes from' }],
    paths,
    components: { schemas: schemasOf(name, version, content.signature), responses, parameters },
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

const headers = (...more: readonly string[]) =>
  ['RequestId', 'TraceParent', 'TimeoutMs', ...more].map((name) => ref('parameters', name));

/** JSON with the bytes of tensors behind it: only the header tells where they begin. */
const binary: Json = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };

const infer = (operationId: string, { example }: OpenApiContent): Json => {
  const request = jsonBody(ref('schemas', 'InferRequest'), example);
  const answer = jsonBody(ref('schemas', 'InferAnswer'));
  return {
    operationId,
    summary: 'Ask the model',
    parameters: headers('HeaderLength'),
    requestBody: { required: true, content: { ...(request.content as Json), ...binary } },
    responses: answers({ ...answer, content: { ...(answer.content as Json), ...binary } }),
  };
};

const predict = ({ example }: OpenApiContent): Json => ({
  operationId: 'v1Predict',
  summary: 'Ask the model in KServe’s V1 protocol',
  parameters: headers(),
  requestBody: {
    required: true,
    ...jsonBody(
      ref('schemas', 'PredictRequest'),
      example === undefined ? undefined : predictExample(example),
    ),
  },
  responses: answers(jsonBody(ref('schemas', 'PredictAnswer'))),
});

/** The same example as whole tensors, which suits inputs without rows too. */
const predictExample = ({ inputs }: ExampleRequest): Json => {
  const [first] = inputs;
  return {
    inputs:
      inputs.length === 1 && first !== undefined
        ? nested(first.data, first.shape)
        : Object.fromEntries(inputs.map(({ name, data, shape }) => [name, nested(data, shape)])),
  };
};

const nested = (data: readonly unknown[], shape: readonly number[]): unknown => {
  const [size, ...rest] = shape;
  if (size === undefined) return data[0];
  const each = data.length / Math.max(1, size);
  return Array.from({ length: size }, (_, i) => nested(data.slice(i * each, (i + 1) * each), rest));
};

const answers = (good: Json): Json => ({
  200: {
    description: 'The model’s answer.',
    headers: { 'x-request-id': { schema: { type: 'string' } } },
    ...good,
  },
  400: ref('responses', 'BadRequest'),
  413: ref('responses', 'TooLarge'),
  429: ref('responses', 'Overloaded'),
  500: ref('responses', 'Failed'),
  503: ref('responses', 'Unavailable'),
  504: ref('responses', 'TooLate'),
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
  HeaderLength: header(
    'inference-header-content-length',
    'Bytes of the JSON, when the bytes of tensors follow it; the answer has it too.',
    { type: 'integer', minimum: 0 },
  ),
  TimeoutMs: header(
    'x-request-timeout-ms',
    'How long the caller waits; it can only shorten what holds anyway.',
    {
      type: 'integer',
      minimum: 1,
    },
  ),
};

/** A name inside of text that is read as CommonMark. */
const markdown = (text: string) => `\`${text.replaceAll('`', 'ˋ')}\``;

/** `POST /v2/models/NAME/infer`: the REST edge of the inference service, a plain handler in front of express. */
import { labelsOf } from '../../protocol/classification.ts';
import type { ModelSignature } from '../../protocol/datatypes.ts';
import { decodeInferRequest, decodeSteps } from '../../protocol/decode.ts';
import {
  type EncodedAnswer,
  encodeInferAnswer,
  encodeSteps,
  type InferAnswer,
} from '../../protocol/encode.ts';
import type { InferRequest } from '../../protocol/infer-request.ts';
import { inTurns } from '../../protocol/turns.ts';
import { contractParameter } from '../contract/words.ts';
import type { InferResult } from '../inference/types.ts';
import { headerLengthName } from './body.ts';
import type { RequestHeaders } from './client.ts';
import {
  createEdgeHandler,
  type EdgeAnswer,
  type EdgeWork,
  type InferContext,
  type InferHandler,
  isLargeAnswer,
  isLargeBody,
} from './exchange.ts';
import { turn } from './turn.ts';

const jsonHeaders = Object.freeze({ 'content-type': 'application/json' });

/** Makes the handler of `POST /v2/models/NAME[/versions/VERSION]/infer`. */
export const createInferHandler = (context: InferContext): InferHandler => {
  const workOf = (request: InferRequest, model: ModelSignature): EdgeWork => ({
    work: { inputs: request.inputs, outputs: request.outputNames, parameters: request.parameters },
    write: (result) => write(context, request, result, model),
  });
  return createEdgeHandler(context, {
    protocol: 'rest',
    read: (body, model, headers) => {
      const headerLength = headerLengthOf(headers);
      return isLargeBody(body)
        ? inTurns(decodeSteps(body, model, headerLength), turn).then((read) => workOf(read, model))
        : workOf(decodeInferRequest(body, model, headerLength), model);
    },
  });
};

const headerLengthOf = (headers: RequestHeaders): string | undefined => {
  const value = headers[headerLengthName];
  return Array.isArray(value) ? value.join(',') : value;
};

const write = (
  { modelName, modelVersion }: InferContext,
  { id, outputs: forms }: InferRequest,
  { outputs, flagged }: InferResult,
  model: ModelSignature,
): EdgeAnswer | Promise<EdgeAnswer> => {
  const answer: InferAnswer = {
    modelName,
    modelVersion,
    id,
    parameters: flagged === undefined ? undefined : { [contractParameter]: flagged },
    outputs,
    forms,
    labels: (output) => labelsOf(model, output),
  };
  return isLargeAnswer(outputs)
    ? inTurns(encodeSteps(answer), turn).then(withHeaders)
    : withHeaders(encodeInferAnswer(answer));
};

const withHeaders = ({ body, jsonLength }: EncodedAnswer): EdgeAnswer => ({
  body,
  headers:
    jsonLength === undefined
      ? jsonHeaders
      : { 'content-type': 'application/octet-stream', [headerLengthName]: String(jsonLength) },
});

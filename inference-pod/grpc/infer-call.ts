/** One inference over gRPC, alone or as one message of a stream: an edge of the inference service. */
import { classify, labelsOf } from '../../protocol/classification.ts';
import type { ModelSignature, Tensor } from '../../protocol/datatypes.ts';
import { ProtocolError, refusals } from '../../protocol/errors.ts';
import { type InferFrame, readInferFrame } from '../../protocol/grpc/infer-frame.ts';
import { isRaw, readInferRequest } from '../../protocol/grpc/infer-request.ts';
import type { GrpcInferAnswer } from '../../protocol/grpc/infer-response.ts';
import type { RequestedOutput } from '../../protocol/infer-request.ts';
import { contractParameter } from '../contract/words.ts';
import { requestIdOf } from '../http/request-id.ts';
import type { Call } from '../inference/types.ts';
import { traceOfHeaders, traceResponse } from '../log/trace.ts';
import type { GrpcContext } from './context.ts';
import type { Rpc } from './transport/rpc.ts';

const clientGone = 499;

/** Begins a call; what its answer's headers say is put there. */
export const beginCall = (context: GrpcContext, rpc: Rpc, bytes: number): Call => {
  const trace = traceOfHeaders(rpc.headers);
  if (trace !== undefined) rpc.answerHeaders.traceresponse = traceResponse(trace);
  const requestId = requestIdOf(rpc);
  rpc.answerHeaders['x-request-id'] = requestId;
  return context.inference.begin({
    protocol: 'grpc',
    requestId,
    bytes,
    clientTimeoutMs: rpc.timeoutMs,
    connection: rpc.stream.session,
    trace,
  });
};

/** Refuses a frame that asks for a model that is not here. */
const checkModel = (context: GrpcContext, { modelName, modelVersion }: InferFrame) => {
  if (modelName !== context.modelName) throw refusals.unknownModel(modelName);
  if (modelVersion !== '' && modelVersion !== context.modelVersion)
    throw refusals.unknownVersion(modelName, modelVersion);
};

/** Decodes, runs and answers; rejects with what is wrong. `frameRead` is told the request's id before that. */
export const inferOf = async (
  context: GrpcContext,
  call: Call,
  bytes: Buffer,
  frameRead: (id: string) => void = () => undefined,
): Promise<GrpcInferAnswer> => {
  call.holdBytes(Math.max(call.arrival.bytes, bytes.length));
  const frame = readInferFrame(bytes);
  frameRead(frame.id);
  checkModel(context, frame);
  const model = context.signature();
  if (model === undefined) throw new ProtocolError(503, `model '${context.modelName}' is not ready`);
  const request = readInferRequest(frame, model);
  const result = await call.infer({
    inputs: request.inputs,
    outputs: request.outputNames,
    parameters: request.parameters,
  });
  return {
    modelName: context.modelName,
    modelVersion: context.modelVersion,
    id: frame.id,
    parameters: result.flagged === undefined ? undefined : { [contractParameter]: result.flagged },
    outputs: result.outputs.map((tensor, i) => asAsked(tensor, request.outputs[i], model)),
    isRaw: isRaw(frame),
  };
};

const asAsked = (tensor: Tensor, asked: RequestedOutput | undefined, model: ModelSignature): Tensor =>
  asked?.classification === undefined
    ? tensor
    : classify(tensor, asked.classification, labelsOf(model, tensor.name));

/** Ends the call as failed; a failure that is nobody's fault but ours is logged. */
export const finishFailed = (context: GrpcContext, call: Call, error: unknown): void => {
  if (call.isFinished) return;
  const failure = error instanceof Error ? error : new Error(String(error));
  if (failure instanceof ProtocolError) {
    call.finish({ status: failure.status, error: failure });
    return;
  }
  context.log.error('request failed', {
    requestId: call.arrival.requestId,
    traceId: call.arrival.trace?.traceId,
    error: failure.message.slice(0, 1000),
  });
  call.finish({ status: 500, error: failure });
};

/** Ends the call because its RPC did: with an error, or because the client left. */
export const finishCancelled = (context: GrpcContext, call: Call, error: Error | undefined): void => {
  if (call.isFinished) return;
  call.cancel();
  if (error === undefined) call.finish({ status: clientGone });
  else finishFailed(context, call, error);
};

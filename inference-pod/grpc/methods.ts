/** Every RPC that the pod serves, by its path. */
import { ProtocolError, refusals } from '../../protocol/errors.ts';
import {
  type NamedModel,
  readNamedModel,
  writeModelMetadata,
  writeServerMetadata,
  writeYes,
} from '../../protocol/grpc/messages.ts';
import { answerReflection } from '../../protocol/grpc/reflection.ts';
import { writeStatistics } from '../../protocol/grpc/statistics.ts';
import type { GrpcContext } from './context.ts';
import { healthCheck, healthWatch } from './health.ts';
import { modelInfer } from './model-infer.ts';
import { modelStreamInfer } from './stream-infer.ts';
import { framePrefixBytes as room } from './transport/frames.ts';
import { unary } from './transport/methods.ts';
import type { Method } from './transport/rpc.ts';

const service = '/inference.GRPCInferenceService';

/** The methods of the pod. */
export const createMethods = (context: GrpcContext): ReadonlyMap<string, Method> => {
  const isHere = ({ name, version }: NamedModel) =>
    name === context.modelName && (version === '' || version === context.modelVersion);
  const checkHere = (model: NamedModel) => {
    if (model.name !== context.modelName) throw refusals.unknownModel(model.name);
    if (!isHere(model)) throw refusals.unknownVersion(model.name, model.version);
  };
  const unsupported = unary(() => {
    throw refusals.unsupported('a model repository: a pod serves one model that never changes, so this');
  });
  return new Map<string, Method>([
    [`${service}/ServerLive`, unary(() => writeYes(true, room))],
    [`${service}/ServerReady`, unary(() => writeYes(context.isReady(), room))],
    [
      `${service}/ModelReady`,
      unary((bytes) => writeYes(isHere(readNamedModel(bytes)) && context.isReady(), room)),
    ],
    [
      `${service}/ServerMetadata`,
      unary(() => writeServerMetadata('ballast', context.serverVersion, context.extensions, room)),
    ],
    [
      `${service}/ModelMetadata`,
      unary((bytes) => {
        checkHere(readNamedModel(bytes));
        const model = context.signature();
        if (model === undefined) throw new ProtocolError(503, `model '${context.modelName}' is not ready`);
        return writeModelMetadata(model, context.modelVersion, room);
      }),
    ],
    [
      `${service}/ModelStatistics`,
      unary((bytes) => {
        const model = readNamedModel(bytes);
        // Without a name the statistics of every model are asked for: of the one.
        if (model.name !== '') checkHere(model);
        return writeStatistics(context.statistics(), room);
      }),
    ],
    [`${service}/ModelInfer`, modelInfer(context)],
    [`${service}/ModelStreamInfer`, modelStreamInfer(context)],
    [`${service}/RepositoryIndex`, unsupported],
    [`${service}/RepositoryModelLoad`, unsupported],
    [`${service}/RepositoryModelUnload`, unsupported],
    ['/grpc.health.v1.Health/Check', healthCheck(context)],
    ['/grpc.health.v1.Health/Watch', healthWatch(context)],
    ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', reflection],
    ['/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', reflection],
  ]);
};

const reflection: Method = {
  maxBytes: 65_536,
  open: (rpc) => ({
    message: (bytes) => rpc.send(answerReflection(bytes, room)),
    ended: () => rpc.end(),
    closing: () => rpc.end(),
  }),
};

/** What gRPC needs of the pod. */
import type { ModelSignature } from '../../protocol/datatypes.ts';
import type { ModelStatistics } from '../../protocol/grpc/statistics.ts';
import type { InferenceService } from '../inference/types.ts';
import type { Logger } from '../log/logger.ts';

export interface GrpcContext {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly serverVersion: string;
  /** Extensions of the protocol, as REST names them. */
  readonly extensions: readonly string[];
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly inference: InferenceService;
  signature(): ModelSignature | undefined;
  isReady(): boolean;
  /** What `GET /v2/models/stats` answers. */
  statistics(): readonly ModelStatistics[];
}

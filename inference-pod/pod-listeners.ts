/** The pod's three ports: for callers by HTTP and by gRPC, and for those who run it. */
import { type GrpcListener, startGrpcListener } from './grpc/listener.ts';
import { extensions } from './http/extensions.ts';
import { figuresOf } from './http/page/figures.ts';
import { type Listener, startInferenceServer, startOpsServer } from './http/server.ts';
import { nowMs, type PodCore } from './pod-core.ts';
import { maxBytesHeldOf } from './pod-limits.ts';
import { isReady, unreadiness } from './pod-state.ts';

/** Answers that nobody reads are plain bytes: they may hold more. */
const unsentFactor = 4;

export interface PodListeners {
  readonly http: Awaited<ReturnType<typeof startInferenceServer>>;
  readonly grpc: GrpcListener;
  readonly ops: Listener;
}

/** Starts them; rejects where a port cannot be had. */
export const startListeners = async (core: PodCore): Promise<PodListeners> => {
  const { config, log, version, state, model, recorder, statistics, metrics, accessLog, inference, load } =
    core;
  const { modelName, modelVersion } = config;
  const readStatistics = () => statistics.read(modelName, modelVersion, process.memoryUsage.rss());
  const whyUnready = () => unreadiness(state);
  const ops = await startOpsServer(config.listenHost, config.opsPort, {
    metrics,
    unreadiness: whyUnready,
    load,
  });
  const http = await startInferenceServer(
    config.listenHost,
    config.httpPort,
    {
      modelName,
      modelVersion,
      maxBodyBytes: config.maxBodyBytes,
      log,
      inference,
      closing: () => state.phase === 'draining' || state.phase === 'stopping',
    },
    {
      modelName,
      modelVersion,
      serverVersion: version,
      signature: () => state.signature,
      unreadiness: whyUnready,
      revision: config.revision,
      modelSha256: () => state.modelSha256,
      figures: () => {
        const { counters, latency } = recorder.read(nowMs());
        return figuresOf({
          ...counters,
          latency,
          capacityRowsPerSecond: model.costs?.capacity(nowMs()).rowsPerSecond,
        });
      },
      freeSize: () => model.loaded?.warm.guess ?? 2,
      accessLog,
      statistics: readStatistics,
      nowMs,
    },
    log,
    maxBytesHeldOf(config) * unsentFactor,
  );
  model.unsentBytes = http.unsentBytes;
  const grpc = await startGrpcListener(
    config.listenHost,
    config.grpcPort,
    {
      modelName,
      modelVersion,
      serverVersion: version,
      extensions,
      maxBodyBytes: config.maxBodyBytes,
      log,
      inference,
      signature: () => state.signature,
      isReady: () => isReady(state),
      statistics: () => [readStatistics()],
    },
    log,
  );
  log.info('listening', {
    host: config.listenHost,
    httpPort: http.port,
    opsPort: ops.port,
    grpcPort: grpc.port,
  });
  return { http, grpc, ops };
};

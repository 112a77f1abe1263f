/** Entry of the runner thread: owns the session, runs batches one after the other, and stops only between two. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Tensor } from '../../protocol/datatypes.ts';
import { messageOf } from '../../protocol/errors.ts';
import { collectGarbage } from '../limits/collect.ts';
import { turnOffTelemetry } from './config.ts';
import { threadCpuMs } from './cpu.ts';
import type { FromRunner, RunBatch, RunnerOptions, ToRunner } from './messages.ts';
import { releaseTensors } from './release.ts';
import type { Session } from './session.ts';

const buffersOf = (tensors: readonly Tensor[]): ArrayBuffer[] => {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors) if (!Array.isArray(data) && data.byteLength > 0) buffers.add(data.buffer);
  return [...buffers];
};

const serve = async (port: MessagePort, options: RunnerOptions) => {
  const send = (message: FromRunner, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const startedAt = performance.now();
  let session: Session;
  turnOffTelemetry();
  try {
    // Loaded here and not above, so that a native library that cannot load is a message and not a crash.
    const { openSession } = await import('./session.ts');
    session = await openSession(options);
  } catch (error) {
    send({ kind: 'loadFailed', message: messageOf(error) });
    port.close();
    return;
  }
  const run = async (batch: RunBatch) => {
    const runStartedAt = performance.now();
    const cpuBeforeMs = threadCpuMs();
    try {
      const outputs = await session.run(batch.inputs, batch.outputs);
      const runMs = performance.now() - runStartedAt;
      const cpuMs = threadCpuMs() - cpuBeforeMs;
      send({ kind: 'done', id: batch.id, outputs, runMs, cpuMs }, buffersOf(outputs));
    } catch (error) {
      const runMs = performance.now() - runStartedAt;
      send({ kind: 'failed', id: batch.id, message: messageOf(error), runMs });
    }
    releaseTensors(batch.inputs);
  };
  port.on('message', (message: ToRunner) => {
    if (message.kind === 'run') void run(message);
    else void session.close().finally(() => port.close());
  });
  // What Node and the binding leave behind while they load is 4 MB, which would stay for as long as the model is small.
  collectGarbage(false);
  send({ kind: 'loaded', loadMs: performance.now() - startedAt });
};

if (parentPort !== null) void serve(parentPort, workerData as RunnerOptions);

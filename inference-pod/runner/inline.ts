/** A runner without a thread, for models whose runs are shorter than the way to another thread and back (inspect/quick.ts). */
import { messageOf } from '../../protocol/errors.ts';
import { turnOffTelemetry } from './config.ts';
import type { RunnerOptions } from './messages.ts';
import { RunFailed, type Runner } from './runner.ts';

/** Loads the model on this thread; rejects with onnxruntime's words when it cannot. */
export const startInlineRunner = async (options: RunnerOptions): Promise<Runner> => {
  turnOffTelemetry();
  const { openSession } = await import('./session.ts');
  const session = await openSession(options);
  return {
    run: async (inputs, outputs) => {
      const startedAt = performance.now();
      try {
        return { outputs: await session.run(inputs, outputs), runMs: performance.now() - startedAt };
      } catch (error) {
        const message = messageOf(error);
        throw new RunFailed(message, performance.now() - startedAt);
      }
    },
    // A run here holds the thread that would ask.
    busySinceMs: undefined,
    stop: () => session.close(),
  };
};

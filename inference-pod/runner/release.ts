/**
 * Gives memory back that is not needed any more, without waiting for the garbage collector. V8 counts bodies and tensors
 * with its own heap and collects all of it for every 64 MB of them: images of 110 KB each cost a sixth of the CPU in whole
 * collections (measured).
 */
import type { Tensor } from '../../protocol/datatypes.ts';
import { ownsMemory } from '../../protocol/raw-tensor.ts';

/** Below it the collector is cheaper: what dies young costs it nothing. */
const leastBytes = 32_768;

/** Empties a memory; nobody may look at it afterwards. */
export const releaseMemory = (memory: ArrayBufferLike): void => {
  if (memory instanceof ArrayBuffer && memory.byteLength >= leastBytes) memory.transfer(0);
};

/** The same of the memory of tensors. */
export const releaseTensors = (tensors: readonly Tensor[]): void => {
  for (const { data } of tensors) if (!Array.isArray(data)) releaseMemory(data.buffer);
};

/** The same of a piece of a body, where it has its memory for itself. */
export const releaseChunk = ({ length, buffer }: Uint8Array): void => {
  if (length === buffer.byteLength) releaseMemory(buffer);
};

/**
 * The same of a body that was read: JSON of 200 KB with a model of 3 ms is 67 MB of garbage a second, which V8 lets
 * grow to 64 MB. Its memory stays where something else lies in it too, be it one of the tensors that were read from it.
 */
export const releaseBody = (body: Uint8Array, inputs: readonly Tensor[]): void => {
  const { buffer } = body;
  if (!ownsMemory(body)) return;
  for (const { data } of inputs) if (!Array.isArray(data) && data.buffer === buffer) return;
  releaseMemory(buffer);
};

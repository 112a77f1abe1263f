/** A number for each row of a request's inputs: equal inputs have equal numbers, others hardly ever. */
import type { Tensor } from '../../protocol/datatypes.ts';

const multiplier = 0x9e3779b1;

/** One 32-bit step over a word (the multiply-and-shift of xxHash's family). */
const mix = (hash: number, word: number): number => {
  const mixed = Math.imul(hash ^ word, multiplier);
  return mixed ^ (mixed >>> 15);
};

const hashOfBytes = (seed: number, data: ArrayBufferView, start: number, length: number): number => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset + start, length);
  let hash = seed;
  if (bytes.byteOffset % 4 === 0 && length % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, length / 4);
    for (let i = 0; i < words.length; i += 1) hash = mix(hash, words[i] as number);
    return hash;
  }
  for (let i = 0; i < length; i += 1) hash = mix(hash, bytes[i] as number);
  return hash;
};

const hashOfTexts = (seed: number, texts: readonly string[], start: number, count: number): number => {
  let hash = seed;
  for (let i = start; i < start + count; i += 1) {
    const text = texts[i] ?? '';
    hash = mix(hash, text.length);
    for (let at = 0; at < text.length; at += 1) hash = mix(hash, text.charCodeAt(at));
  }
  return hash;
};

/** One number per row where all inputs have as many; one for the whole request otherwise. */
export const fingerprintsOf = (inputs: readonly Tensor[]): Float64Array => {
  const rows = inputs[0]?.shape[0] ?? 1;
  const share = inputs.every(({ shape }) => shape[0] === rows) ? rows : 1;
  const hashes = new Float64Array(Math.max(1, share));
  for (let row = 0; row < hashes.length; row += 1) {
    let low = 1;
    let high = 2;
    for (const { data } of inputs) {
      const size = data.length / hashes.length;
      if (Array.isArray(data)) {
        low = hashOfTexts(low, data, row * size, size);
        high = hashOfTexts(high, data, row * size, size);
      } else {
        const bytes = data.byteLength / hashes.length;
        low = hashOfBytes(low, data, row * bytes, bytes);
        high = hashOfBytes(high, data, row * bytes, bytes);
      }
    }
    // 52 bits of the two make chance collisions rare among 100,000.
    hashes[row] = (high >>> 12) * 4_294_967_296 + (low >>> 0);
  }
  return hashes;
};

/** What the numeric datatypes can hold, and how a number of the contract becomes one of theirs. */
import type { Datatype } from '../../protocol/datatypes.ts';

/** Smallest and largest whole number of each integer datatype. */
const integerRanges: Partial<Record<Datatype, readonly [bigint, bigint]>> = {
  UINT8: [0n, 255n],
  UINT16: [0n, 65_535n],
  UINT32: [0n, 4_294_967_295n],
  UINT64: [0n, 18_446_744_073_709_551_615n],
  INT8: [-128n, 127n],
  INT16: [-32_768n, 32_767n],
  INT32: [-2_147_483_648n, 2_147_483_647n],
  INT64: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
};

interface FloatKind {
  /** The nearest number that the datatype has: `0.1` in a contract means the FP32 that a caller's 0.1 becomes. */
  readonly round: (value: number) => number;
  readonly largest: number;
}

const floatKinds: Partial<Record<Datatype, FloatKind>> = {
  FP16: { round: (value) => Math.f16round(value), largest: 65_504 },
  FP32: { round: Math.fround, largest: 3.4028234663852886e38 },
  FP64: { round: (value) => value, largest: Number.MAX_VALUE },
};

/** Range of an integer datatype; undefined for the others. */
export const integerRange = (datatype: Datatype): readonly [bigint, bigint] | undefined =>
  integerRanges[datatype];

/** How a floating-point datatype rounds; undefined for the others. BF16 is not among them: onnxruntime cannot run it in Node. */
export const floatKind = (datatype: Datatype): FloatKind | undefined => floatKinds[datatype];

let halves: Float32Array | undefined;

/** The number behind each of the 65,536 FP16 bit patterns: 256 KiB, made when a contract first needs it. */
export const halfTable = (): Float32Array => {
  halves ??= Float32Array.from(new Float16Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer));
  return halves;
};

/** What a compiled contract is made of. */
import type { TensorData, TensorSpec } from '../../protocol/datatypes.ts';

/** Which field of a rule was broken; `finite` stands for an infinity, `columns` for a column that is not there. */
const breaches = [
  'columns',
  'allowNaN',
  'finite',
  'min',
  'max',
  'values',
  'maxLength',
  'sumTo',
  'maxRepeats',
] as const;
export type Breach = (typeof breaches)[number];
export type Side = 'input' | 'output';
export type Action = 'Reject' | 'Flag';

/** One place where a tensor breaks a rule. */
export interface Finding {
  readonly side: Side;
  readonly tensor: string;
  readonly breach: Breach;
  readonly action: Action;
  /** Position in each dimension, without the last for a sum; empty for a scalar. */
  readonly index: readonly number[];
  /** The same in words: `row 0, column 3`. */
  readonly place: string;
  readonly got: string;
  readonly wanted: string;
}

/** A rule of the contract in the terms of its tensor's datatype. */
export interface Rule {
  readonly side: Side;
  readonly spec: TensorSpec;
  readonly action: Action;
  /** Ascending, each once; undefined: all. */
  readonly columns: Int32Array | undefined;
  readonly numbers: NumberRule | undefined;
  readonly values: ReadonlySet<number | bigint | string> | undefined;
  readonly maxLength: number | undefined;
  readonly sum: SumRule | undefined;
  /** The rule's own words, for findings. */
  readonly words: Readonly<Partial<Record<Breach, string>>>;
}

/** What the columns of a row must sum to. */
export interface SumRule {
  readonly wanted: number;
  readonly tolerance: number;
  /** Whole numbers: the least and the largest sum that keeps the rule, exactly. */
  readonly whole: { readonly min: bigint; readonly max: bigint } | undefined;
}

/** Bounds of each element. */
export interface NumberRule {
  readonly isFloat: boolean;
  readonly allowNaN: boolean;
  /** Infinite where there is no bound. Floats: what is beyond breaks `min` or `max`; infinities break `finite` first. */
  readonly min: number;
  readonly max: number;
  /** The same of 64-bit integers, exactly. */
  readonly bigMin: bigint | undefined;
  readonly bigMax: bigint | undefined;
}

/** A tensor seen as a table: rows of columns. */
export interface Table {
  readonly data: TensorData;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly width: number;
}

/** The contract names what the model does not have, or asks what cannot be; the message names the rule. */
export class ContractError extends Error {}

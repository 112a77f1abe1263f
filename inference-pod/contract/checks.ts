/** The contract at work: what each request and each answer goes through. */
import type { Tensor } from '../../protocol/datatypes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { CompiledContract, TensorContract } from './compile.ts';
import { type CountFinding, RequestFindings } from './findings.ts';
import { fingerprintsOf } from './fingerprint.ts';
import { flagOf, headerOf } from './words.ts';

/** What the inputs of a request showed. */
export interface CheckedInputs {
  /** Findings that only flag. */
  readonly flags: readonly string[];
  /** One number per row, while outputs repeat; taken before the runner gets the inputs' memory. */
  readonly fingerprints: Float64Array | undefined;
}

export interface Contract {
  /** Throws a ProtocolError (400) for inputs that break a rule with `action: Reject`. */
  inputs(tensors: readonly Tensor[]): CheckedInputs;
  /**
   * What the answer's header says of the findings that only flag, of inputs and outputs; undefined when all is well.
   * Throws a ProtocolError (500) for outputs that break a rule with `action: Reject`.
   */
  outputs(tensors: readonly Tensor[], checked: CheckedInputs | undefined): string | undefined;
}

const clean: readonly string[] = Object.freeze([]);
const cleanInputs: CheckedInputs = Object.freeze({ flags: clean, fingerprints: undefined });

/** Puts a compiled contract to work for the model `modelName`. */
export const createContract = (
  { inputs, outputs, repeats }: CompiledContract,
  modelName: string,
  countFinding: CountFinding,
): Contract => {
  // Nothing is made for a request with which all is well: the same empty findings go from one to the next.
  let unused = new RequestFindings();
  const findingsIn = (contracts: readonly TensorContract[], tensors: readonly Tensor[]) => {
    for (const contract of contracts) {
      const tensor = named(tensors, contract.spec.name);
      if (tensor !== undefined) contract.check(tensor, unused);
    }
    if (unused.isEmpty) return undefined;
    const findings = unused;
    unused = new RequestFindings();
    findings.report(countFinding);
    return findings;
  };
  const repeated = (tensors: readonly Tensor[], checked: CheckedInputs | undefined): readonly string[] => {
    let flags = clean;
    for (const one of repeats) {
      const tensor = named(tensors, one.spec.name);
      if (tensor === undefined || !one.take(tensor, checked?.fingerprints)) continue;
      countFinding({ side: 'output', tensor: one.spec.name, rule: 'maxRepeats', action: 'Flag' }, 1);
      flags = [...flags, flagOf(one.finding())];
    }
    return flags;
  };
  return {
    inputs: (tensors) => {
      const findings = findingsIn(inputs, tensors);
      if (findings?.rejects === true)
        throw new ProtocolError(
          400,
          `the request breaks the contract of model '${modelName}': ${findings.sentences()}`,
        );
      const isRepeating = repeats.some((one) => one.isRepeating);
      if (findings === undefined && !isRepeating) return cleanInputs;
      return {
        flags: findings?.flags() ?? clean,
        fingerprints: isRepeating ? fingerprintsOf(tensors) : undefined,
      };
    },
    outputs: (tensors, checked) => {
      const findings = findingsIn(outputs, tensors);
      const flags = repeated(tensors, checked);
      if (findings?.rejects === true)
        throw new ProtocolError(
          500,
          `the answer of model '${modelName}' breaks its contract: ${findings.sentences()}`,
        );
      const isFine = findings === undefined && flags === clean && (checked ?? cleanInputs).flags === clean;
      if (isFine) return undefined;
      const all = [...(checked?.flags ?? clean), ...(findings?.flags() ?? clean), ...flags];
      return headerOf(all);
    },
  };
};

const named = (tensors: readonly Tensor[], name: string): Tensor | undefined => {
  for (const tensor of tensors) if (tensor.name === name) return tensor;
  return undefined;
};

/** The contract of this pod's model, or the end of the pod: a contract that does not fit must never seem to hold. */
import type { ContractSpec } from '../../crds/types.ts';
import type { ModelSignature } from '../../protocol/datatypes.ts';
import { ModelError } from '../inspect/model-error.ts';
import type { Logger } from '../log/logger.ts';
import { type Contract, createContract } from './checks.ts';
import { type CompiledContract, compileContract } from './compile.ts';
import type { CountFinding } from './findings.ts';
import { ContractError } from './types.ts';

/** A model may have thousands of inputs; what is checked of the first is enough to see that the contract is in force. */
const maxLines = 32;

/** Compiles the contract and logs what it checks; throws a ModelError (ContractInvalid) when it does not fit the model. */
export const openContract = (
  spec: ContractSpec | undefined,
  signature: ModelSignature,
  log: Logger,
  countFinding: CountFinding,
): Contract | undefined => {
  if (spec === undefined) return undefined;
  let compiled: CompiledContract;
  try {
    compiled = compileContract(spec, signature);
  } catch (error) {
    if (error instanceof ContractError) throw new ModelError('ContractInvalid', error.message);
    throw error;
  }
  for (const checks of compiled.lines.slice(0, maxLines)) log.info('contract', { checks });
  return createContract(compiled, signature.name, countFinding);
};

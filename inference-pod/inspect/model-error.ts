/** Why a model cannot be had or served, in words for the person who wrote its URI. */
import type { TerminationMessage } from '../../crds/wire.ts';

/** Ends the fetch or the start of the pod with a termination message. */
export class ModelError extends Error {
  readonly reason: TerminationMessage['reason'];
  constructor(reason: TerminationMessage['reason'], message: string) {
    super(message);
    this.name = 'ModelError';
    this.reason = reason;
  }
}

/** What goes wrong between the pod and a model's server, in words. */
import { messageOf } from '../../protocol/errors.ts';
import { ModelError } from '../inspect/model-error.ts';

/** A failure that may pass. */
export class RetryableError extends Error {
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.name = 'RetryableError';
    this.retryAfterMs = retryAfterMs;
  }
}

/** The refusal of an address. */
export const deniedError = (address: string): ModelError =>
  new ModelError(
    'ModelForbidden',
    `models are not fetched from ${address}: private, loopback and link-local addresses are refused`,
  );

const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string' && untrusted.has(error.code)) return error.code;
  return 'cause' in error ? codeOf(error.cause) : undefined;
}

/** A fault of the connection; a certificate that nobody here vouches for is told with the way out. */
export function transferError(where: string, error: unknown): RetryableError {
  const text = messageOf(error);
  const hint =
    codeOf(error) === undefined
      ? ''
      : ' (a private authority belongs into fetch.caBundle of the operator’s defaults)';
  return new RetryableError(`${where}: ${text}${hint}`);
}

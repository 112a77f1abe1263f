/** Failures as Kubernetes words them: each builder makes the `Status` that kubectl prints. */
import * as fault from '../../crds/structural/field-error.ts';
import { type FieldError, joinErrors } from '../../crds/structural/field-error.ts';
import type { Status } from '../../kube/objects.ts';

export { fault };

export type FieldFault = FieldError;

/** Group and plural (or kind) that a message names, e.g. `deployments.apps`. */
export interface Named {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** An answer that is not 2xx, with its Status body. */
export class StatusError extends Error {
  readonly status: Status;
  constructor(status: Status) {
    super(status.message ?? status.reason ?? 'failure');
    this.name = 'StatusError';
    this.status = status;
  }
  get code(): number {
    return this.status.code ?? 500;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
}

const failure = (code: number, reason: string, message: string, details?: Status['details']): StatusError =>
  new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  });

/** `deployments.apps`, or `pods` for the core group. */
const qualified = (type: Named): string => (type.group === '' ? type.plural : `${type.plural}.${type.group}`);
const qualifiedKind = (type: Named): string => (type.group === '' ? type.kind : `${type.kind}.${type.group}`);
const detailsOf = (type: Named, name: string) => ({
  name,
  ...(type.group === '' ? {} : { group: type.group }),
  kind: type.plural,
});

/** 404 for an object. */
export const notFound = (type: Named, name: string): StatusError =>
  failure(404, 'NotFound', `${qualified(type)} "${name}" not found`, detailsOf(type, name));
/** 404 for a path that no resource serves. */
export const noSuchPath = (): StatusError =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {});
/** 409 on create. */
export const alreadyExists = (type: Named, name: string, isGoing = false): StatusError =>
  failure(
    409,
    'AlreadyExists',
    `${isGoing ? 'object is being deleted: ' : ''}${qualified(type)} "${name}" already exists`,
    detailsOf(type, name),
  );
/** 409 on a stale write. */
export const conflict = (type: Named, name: string, why?: string): StatusError =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(type)} "${name}": ${why ?? 'the object has been modified; please apply your changes to the latest version and try again'}`,
    detailsOf(type, name),
  );
/** 409 of server-side apply, with one cause per field. */
export const applyConflict = (message: string, causes: { message: string; field: string }[]): StatusError =>
  failure(409, 'Conflict', message, {
    causes: causes.map((cause) => ({ reason: 'FieldManagerConflict', ...cause })),
  });
/** 400. */
export const badRequest = (message: string): StatusError => failure(400, 'BadRequest', message);
/** 401. */
export const unauthorized = (): StatusError => failure(401, 'Unauthorized', 'Unauthorized');
/** 403 with a sentence. */
export const forbidden = (
  type: Named,
  name: string,
  why: string,
  causes?: { reason?: string; message?: string; field?: string }[],
): StatusError =>
  failure(403, 'Forbidden', `${qualified(type)} "${name}" is forbidden: ${why}`, {
    ...detailsOf(type, name),
    ...(causes === undefined ? {} : { causes }),
  });
/** 405. */
export const methodNotAllowed = (): StatusError =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
/** 501 for what a real cluster has and this one has not. */
export const notImplemented = (message: string): StatusError => failure(501, 'NotImplemented', message, {});
/** 406. */
export const notAcceptable = (accepted: string): StatusError =>
  failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted}`);
/** 410 for a resource version that history no longer holds. */
export const expired = (message: string): StatusError => failure(410, 'Expired', message);
/** 413. */
export const tooLarge = (limitBytes: number): StatusError =>
  failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);
/** 415. */
export const unsupportedMediaType = (accepted: string[]): StatusError =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    {},
  );
/** 422 whose message is not about a field of the object, e.g. a JSON patch that does not fit. */
export const unprocessable = (message: string, details: Status['details'] = {}): StatusError =>
  failure(422, 'Invalid', message, details);
/** 429 with a delay. */
export const tooManyRequests = (
  message: string,
  retryAfterSeconds: number,
  causes?: { reason: string; message: string }[],
): StatusError =>
  failure(429, 'TooManyRequests', message, {
    ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
    ...(causes === undefined ? {} : { causes }),
  });
/** 500. */
export const internalError = (message: string): StatusError =>
  failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
/** 500 without a reason: how the real server passes on errors that it has no word for. */
export const plainError = (message: string): StatusError => failure(500, '', message);
/** 504 for a resource version that lies in the future. */
export const futureResourceVersion = (asked: number, current: number): StatusError =>
  failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });

/** 422 with one cause per broken rule, worded as kubectl shows it. */
export function invalid(type: Named, name: string, faults: readonly FieldFault[]): StatusError {
  return failure(422, 'Invalid', `${qualifiedKind(type)} "${name}" is invalid: ${joinErrors(faults)}`, {
    name,
    ...(type.group === '' ? {} : { group: type.group }),
    kind: type.kind,
    causes: faults.map(({ reason, body, field }) => ({ reason, message: body, field })),
  });
}

/** Errors about one field, in Kubernetes' words: `spec.x: Invalid value: "a": why`. */

export type FieldErrorReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

export interface FieldError {
  /** Reason of the cause in the Status answer. */
  readonly reason: FieldErrorReason;
  /** Path such as `spec.ports[0].name`, or `<nil>` for the object itself. */
  readonly field: string;
  /** What the cause's message says: everything after `field: `. */
  readonly body: string;
}

const words: Record<FieldErrorReason, string> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTooFew: 'Too few',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

const withoutValue: ReadonlySet<FieldErrorReason> = new Set<FieldErrorReason>([
  'FieldValueRequired',
  'FieldValueForbidden',
  'FieldValueTooLong',
  'InternalError',
]);

/** Quotes a string as Go's %q does for what JSON and Go agree on. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f\u0080-\u009f]/g, (char) => {
    const code = char.charCodeAt(0);
    return code < 0x80 ? `\\x${code.toString(16)}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** JSON with sorted keys and Go's HTML escapes, as encoding/json writes maps. */
export function goJson(value: unknown): string {
  const sorted = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(sorted);
    if (typeof item === 'object' && item !== null)
      return Object.fromEntries(
        Object.entries(item)
          .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
          .map(([key, inner]) => [key, sorted(inner)]),
      );
    return item;
  };
  return (JSON.stringify(sorted(value)) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function show(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return goJson(value);
}

/** No value is shown although the reason would show one. */
export const omitValue: unique symbol = Symbol('omitValue');

function make(reason: FieldErrorReason, field: string, value: unknown, detail: string): FieldError {
  const head =
    withoutValue.has(reason) || value === omitValue ? words[reason] : `${words[reason]}: ${show(value)}`;
  return { reason, field: field === '' ? '<nil>' : field, body: detail === '' ? head : `${head}: ${detail}` };
}

/** A value that is malformed. */
export const invalid = (field: string, value: unknown, detail: string): FieldError =>
  make('FieldValueInvalid', field, value, detail);
/** A value of the wrong type. */
export const typeInvalid = (field: string, value: unknown, detail: string): FieldError =>
  make('FieldValueTypeInvalid', field, value, detail);
/** A value that must be there. */
export const required = (field: string, detail = ''): FieldError =>
  make('FieldValueRequired', field, '', detail);
/** A value that may not be there. */
export const forbidden = (field: string, detail: string): FieldError =>
  make('FieldValueForbidden', field, '', detail);
/** A value that may be there once only. */
export const duplicate = (field: string, value: unknown): FieldError =>
  make('FieldValueDuplicate', field, value, '');
/** A reference to something that is not there. */
export const notFound = (field: string, value: unknown): FieldError =>
  make('FieldValueNotFound', field, value, '');
/** A value outside a closed list. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  make(
    'FieldValueNotSupported',
    field,
    value,
    supported.length === 0 ? '' : `supported values: ${supported.map(quote).join(', ')}`,
  );
/** A text with too many bytes. */
export const tooLong = (field: string, max: number): FieldError =>
  make('FieldValueTooLong', field, '', `may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}`);
/** A list or map with too many items. */
export const tooMany = (field: string, actual: number, max: number): FieldError =>
  make('FieldValueTooMany', field, actual, `must have at most ${max} ${max === 1 ? 'item' : 'items'}`);

/** The whole sentence, as it stands in a Status message. */
export function errorText(error: FieldError): string {
  return `${error.field}: ${error.body}`;
}

/** Texts joined as Kubernetes joins several errors: one as it is, more in brackets, duplicates once. */
export function joinErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(errorText))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

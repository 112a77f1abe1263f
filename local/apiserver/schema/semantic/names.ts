/** Checks of names, labels, ports and selectors, with an API server's sentences. */
import { type FieldError, forbidden, invalid, required } from '../../../../crds/structural/field-error.ts';
import { isObject } from '../../../../crds/structural/schema-node.ts';
import { objectAt, objectsAt } from '../defaults/access.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const fits = (pattern: string, text: string) => new RegExp(`^(?:${pattern})$`).test(text);
const nameTexts = {
  label: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`,
  subdomain: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`,
};
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const qualifiedText = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualified}')`;
const labelValueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** Why a text is no DNS label; empty when it is one. */
export function labelProblems(text: string): string[] {
  return [
    ...(text.length > 63 ? ['must be no more than 63 bytes'] : []),
    ...(fits(label, text) ? [] : [nameTexts.label]),
  ];
}

/** Why a text is no DNS subdomain; empty when it is one. */
export function subdomainProblems(text: string): string[] {
  return [
    ...(text.length > 253 ? ['must be no more than 253 bytes'] : []),
    ...(fits(subdomain, text) ? [] : [nameTexts.subdomain]),
  ];
}

/** Why a text is no qualified name such as `example.com/key`; empty when it is one. */
export function qualifiedNameProblems(text: string): string[] {
  const parts = text.split('/');
  const problems: string[] = [];
  let name = parts[0] ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    name = parts[1] ?? '';
    if (prefix === '') problems.push('prefix part must be non-empty');
    else problems.push(...subdomainProblems(prefix).map((problem) => `prefix part ${problem}`));
  } else if (parts.length > 2)
    return [
      `a qualified name ${qualifiedText} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push('name part must be no more than 63 bytes');
  if (!fits(qualified, name)) problems.push(`name part ${qualifiedText}`);
  return problems;
}

/** Errors of labels, wherever they stand. */
export function labelErrors(labels: unknown, field: string): FieldError[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameProblems(key).map((problem) => invalid(field, key, problem)),
    ...labelValueProblems(String(value)).map((problem) => invalid(field, String(value), problem)),
  ]);
}

function labelValueProblems(value: string): string[] {
  return [
    ...(value.length > 63 ? ['must be no more than 63 bytes'] : []),
    ...(fits(`(${qualified})?`, value) ? [] : [labelValueText]),
  ];
}

/** Errors of a label selector. */
export function selectorErrors(selector: unknown, field: string): FieldError[] {
  if (!isObject(selector)) return [];
  const errors = labelErrors(objectAt(selector, 'matchLabels'), `${field}.matchLabels`);
  objectsAt(selector, 'matchExpressions').forEach((expression, index) => {
    const at = `${field}.matchExpressions[${index}]`;
    const values = Array.isArray(expression.values) ? expression.values : [];
    switch (expression.operator) {
      case 'In':
      case 'NotIn':
        if (values.length === 0)
          errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0)
          errors.push(
            forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
          );
        break;
      default:
        errors.push(invalid(`${at}.operator`, expression.operator ?? '', 'not a valid selector operator'));
    }
    errors.push(
      ...qualifiedNameProblems(String(expression.key ?? '')).map((problem) =>
        invalid(`${at}.key`, expression.key ?? '', problem),
      ),
    );
  });
  return errors;
}

/** Whether a selector selects these labels; a selector without conditions selects all. */
export function selectorMatches(selector: unknown, labels: unknown): boolean {
  if (!isObject(selector)) return false;
  const of = isObject(labels) ? labels : {};
  const exact = Object.entries(objectAt(selector, 'matchLabels') ?? {});
  if (!exact.every(([key, value]) => of[key] === value)) return false;
  return objectsAt(selector, 'matchExpressions').every(({ key, operator, values }) => {
    const value = of[String(key)];
    const list = Array.isArray(values) ? values : [];
    switch (operator) {
      case 'In':
        return value !== undefined && list.includes(value);
      case 'NotIn':
        return value === undefined || !list.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}

/** True for an object without anything that was set. */
export function isEmptySelector(selector: unknown): boolean {
  return (
    isObject(selector) &&
    Object.keys(objectAt(selector, 'matchLabels') ?? {}).length === 0 &&
    objectsAt(selector, 'matchExpressions').length === 0
  );
}

const portText = 'must be between 1 and 65535, inclusive';

/** Errors of a port number. */
export function portErrors(port: unknown, field: string): FieldError[] {
  return typeof port === 'number' && port >= 1 && port <= 65_535 ? [] : [invalid(field, port ?? 0, portText)];
}

/** Why a text is no port name; empty when it is one. */
export function portNameProblems(name: string): string[] {
  const problems: string[] = [];
  if (name.length > 15) problems.push('must be no more than 15 bytes');
  if (!/^[-a-z0-9]+$/.test(name))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

/** Errors of a number or name of a port. */
export function portOrNameErrors(port: unknown, field: string): FieldError[] {
  if (typeof port === 'string') return portNameProblems(port).map((problem) => invalid(field, port, problem));
  return portErrors(port, field);
}

/** Errors of a count that may not be negative. */
export function nonNegative(value: unknown, field: string): FieldError[] {
  return typeof value === 'number' && value < 0
    ? [invalid(field, value, 'must be greater than or equal to 0')]
    : [];
}

const percentText =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** Errors of a count or percentage. */
export function countOrPercentErrors(value: unknown, field: string, atMost100 = true): FieldError[] {
  if (typeof value === 'string') {
    if (!/^[0-9]+%$/.test(value)) return [invalid(field, value, percentText)];
    return atMost100 && Number.parseInt(value, 10) > 100
      ? [invalid(field, value, 'must not be greater than 100%')]
      : [];
  }
  return nonNegative(value, field);
}

/** True when the text names nothing: absent, null or empty. */
export const isBlank = (value: unknown): boolean => value === undefined || value === null || value === '';

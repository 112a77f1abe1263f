/** Renders answers as short text, so that an assertion shows at a glance what the server said. */
import type { Answer, Body } from './client.ts';

/** `409 Conflict: message`; for a success the code alone. */
export function said(answer: Answer): string {
  if (answer.body.kind !== 'Status' || answer.status < 400) return String(answer.status);
  return `${answer.status} ${answer.body.reason ?? '(no reason)'}: ${answer.body.message ?? ''}`;
}

/** `field | reason | message` of each cause, in the server's order. */
export function causes(answer: Answer): string[] {
  return (answer.body.details?.causes ?? []).map(
    (cause) => `${cause.field ?? ''} | ${cause.reason ?? ''} | ${cause.message ?? ''}`,
  );
}

/** As `causes`, without objects that the server quotes in Go's spelling and without its regexp engine's own words. */
export function shortCauses(answer: Answer): string[] {
  return causes(answer).map((cause) =>
    cause
      .replace(/Invalid value: (?:[[{].*[\]}]|null): /s, 'Invalid value: …: ')
      .replace(/error parsing regexp: .*/s, 'error parsing regexp: …'),
  );
}

/** Texts of the `Warning` headers. */
export function warnings(answer: Answer): string[] {
  const line = [answer.headers.warning ?? []].flat().join(', ');
  return [...line.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? '').replace(/\\(.)/g, '$1'),
  );
}

/** Value at a dotted path: `spec.template.spec.containers.0.image`; keys with dots are bracketed: `a.[b.c]`. */
export function at(value: unknown, path: string): unknown {
  let current = value;
  for (const [, bracketed, plain] of path.matchAll(/\[([^\]]+)\]|([^.[\]]+)/g)) {
    if (current === null || typeof current !== 'object') return undefined;
    current = (current as Record<string, unknown>)[bracketed ?? plain ?? ''];
  }
  return current;
}

/** Names of a list's items, sorted. */
export function names(answer: Answer): string[] {
  return (answer.body.items ?? []).map((item) => item.metadata.name ?? '').sort();
}

/**
 * Who owns which fields: `manager Apply v1` (and `/status`) → paths of its leaves as the server's conflict texts write
 * them. `apiVersion`, `kind` and names never appear there.
 */
export function owners(body: Body): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const entry of body.metadata.managedFields ?? []) {
    const part = entry.subresource === undefined || entry.subresource === '' ? '' : `/${entry.subresource}`;
    result[`${entry.manager} ${entry.operation}${part}`] = leaves(entry.fieldsV1 ?? {}, '').sort();
  }
  return result;
}

function leaves(fields: Record<string, unknown>, prefix: string): string[] {
  const keys = Object.keys(fields);
  if (keys.length === 0) return [prefix];
  return keys.flatMap((key) => {
    // `.` marks that the item itself is owned: said only where nothing below it is.
    if (key === '.') return keys.length === 1 ? [prefix] : [];
    return leaves(fields[key] as Record<string, unknown>, prefix + element(key));
  });
}

function element(key: string): string {
  if (key.startsWith('f:')) return `.${key.slice(2)}`;
  if (key.startsWith('k:')) {
    const pairs = Object.entries(JSON.parse(key.slice(2)) as Record<string, unknown>);
    return `[${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
  }
  if (key.startsWith('v:')) return `[=${key.slice(2)}]`;
  return `[${key}]`;
}

/** Label and field selectors as the API's query parameters spell them. */
import type { LabelSelector } from '../../kube/objects.ts';
import { parseRequirements, type Requirement } from './label-selector.ts';
import type { AnyObject } from './object.ts';
import { isJson } from './object.ts';
import { badRequest } from './status-error.ts';

export type Match = (object: AnyObject) => boolean;

function meets(requirement: Requirement, labels: Record<string, string>): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case '=':
    case 'in':
      return value !== undefined && requirement.values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !requirement.values.includes(value);
    case 'gt':
      return value !== undefined && Number(value) > Number(requirement.values[0]);
    case 'lt':
      return value !== undefined && Number(value) < Number(requirement.values[0]);
  }
}

/** Parses `a=b,c in (d,e),!f` into a test of an object's labels; undefined when it selects everything. */
export function parseLabelSelector(text: string | undefined): Match | undefined {
  if (text === undefined || text === '') return undefined;
  const requirements = parseRequirements(text);
  return (object) => requirements.every((r) => meets(r, object.metadata.labels ?? {}));
}

/** A test of labels from the object form; an empty selector matches everything, an absent one nothing. */
export function labelSelectorMatch(
  selector: LabelSelector | undefined,
): (labels: Record<string, string>) => boolean {
  if (selector === undefined) return () => false;
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }));
  const operators = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' } as const;
  for (const expression of selector.matchExpressions ?? [])
    requirements.push({
      key: expression.key,
      operator: operators[expression.operator],
      values: expression.values ?? [],
    });
  return (labels) => requirements.every((r) => meets(r, labels));
}

/** The selector as text, as status.selector of a Scale carries it. */
export function labelSelectorText(selector: LabelSelector | undefined): string {
  const parts = Object.entries(selector?.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key);
    else if (operator === 'DoesNotExist') parts.push(`!${key}`);
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${[...(values ?? [])].sort().join(',')})`);
  }
  return parts.join(',');
}

function fieldValue(object: AnyObject, path: string): string {
  let value: unknown = object;
  for (const part of path.split('.')) value = isJson(value) ? value[part] : undefined;
  return value === undefined || value === null ? '' : String(value);
}

/** Parses `metadata.name=x,status.phase!=Running`; a field that the kind does not index is refused. */
export function parseFieldSelector(
  text: string | undefined,
  allowed: (field: string) => string | undefined,
  read: (object: AnyObject, field: string) => string = fieldValue,
): Match | undefined {
  if (text === undefined || text === '') return undefined;
  const terms = text.split(/(?<!\\),/).filter((part) => part !== '');
  const tests = terms.map((term): Match => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term);
    if (match?.[1] === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const field = match[1];
    const wanted = (match[3] ?? '').replaceAll(/\\([\\,=])/g, '$1');
    const problem = allowed(field);
    if (problem !== undefined) throw badRequest(problem);
    const negated = match[2] === '!=';
    return (object) => (read(object, field) === wanted) !== negated;
  });
  return (object) => tests.every((test) => test(object));
}

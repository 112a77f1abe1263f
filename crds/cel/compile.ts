/** Compiles CEL rules and says in an API server's words why one does not compile. */
import type { Environment, ParseResult } from '@marcbachmann/cel-js';
import type { SchemaNode, ValidationRule } from '../structural/schema-node.ts';

/** An expression ready to run, or the sentence that says why there is none. */
export type Compiled = { readonly run: ParseResult; readonly type: string } | { readonly error: string };

interface CelFault {
  readonly summary?: string;
  readonly message?: string;
  readonly range?: { readonly start: number };
}

/** `ERROR: <input>:1:6: undefined field 'x'` with the line and a caret below it. */
export function issueText(fault: CelFault, expression: string): string {
  const start = Math.min(fault.range?.start ?? 0, expression.length);
  const before = expression.slice(0, start).split('\n');
  const line = before.length;
  const column = before.at(-1)?.length ?? 0;
  const source = expression.split('\n')[line - 1] ?? '';
  const summary = fault.summary ?? fault.message?.split('\n')[0] ?? 'invalid expression';
  return `ERROR: <input>:${line}:${column + 1}: ${wording(summary)}\n | ${source}\n | ${'.'.repeat(column)}^`;
}

function wording(summary: string): string {
  const field = /^No such key: (.+)$/.exec(summary);
  if (field !== null) return `undefined field '${field[1]}'`;
  const variable = /^Unknown variable: (.+)$/.exec(summary);
  if (variable !== null) return `undeclared reference to '${variable[1]}' (in container '')`;
  const operator = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary);
  if (operator !== null)
    return `found no matching overload for '_${operator[2]}_' applied to '(${operator[1]}, ${operator[3]})'`;
  const call = /^found no matching overload for '(?:(.+)\.)?(\w+)\((.*)\)'$/.exec(summary);
  if (call !== null) {
    const args = call[3] ?? '';
    return `found no matching overload for '${call[2]}' applied to '${call[1] === undefined ? '' : `${call[1]}.`}(${args})'`;
  }
  return /^(Expected|Unexpected)/.test(summary) ? `Syntax error: ${summary}` : summary;
}

/** Compiles one expression in an environment that knows `self` and `oldSelf`. */
export function compileExpression(environment: Environment, expression: string): Compiled {
  try {
    const run = environment.parse(expression);
    const verdict = run.check();
    if (!verdict.valid) return { error: issueText((verdict.error ?? {}) as CelFault, expression) };
    return { run, type: verdict.type ?? 'dyn' };
  } catch (error) {
    return { error: issueText(error as CelFault, expression) };
  }
}

/** True when the expression reads `oldSelf`, which makes its rule a transition rule. */
export function usesOldSelf(expression: string): boolean {
  const withoutTexts = expression.replace(
    /r?"""[\s\S]*?"""|r"[^"]*"|r'[^']*'|"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/g,
    '""',
  );
  return /(^|[^.\w])oldSelf\b/.test(withoutTexts);
}

/** The rule's `fieldPath` as a Kubernetes path below the rule's place, or the sentence that says what is wrong with it. */
export function fieldPathOf(rule: ValidationRule, schema: SchemaNode): { path: string } | { error: string } {
  const source = rule.fieldPath ?? '';
  if (source === '') return { path: '' };
  let rest = source;
  let node: SchemaNode | undefined = schema;
  let path = '';
  while (rest !== '') {
    const match = /^\.([^.[\]]+)|^\['((?:[^'\\]|\\.)*)'\]/.exec(rest);
    if (match === null) return { error: `expected [ or . but got: ${rest}` };
    const name: string = match[1] ?? (match[2] ?? '').replace(/\\(.)/g, '$1');
    const properties: SchemaNode['properties'] = node?.properties;
    const values: SchemaNode | undefined =
      typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined;
    if (properties !== undefined) {
      if (!Object.hasOwn(properties, name)) return { error: 'does not refer to a valid field' };
      node = properties[name];
      path += path === '' ? name : `.${name}`;
    } else if (values !== undefined) {
      node = values;
      path += `[${name}]`;
    } else return { error: 'does not refer to a valid field' };
    rest = rest.slice(match[0].length);
  }
  return { path };
}

/** Compiles CEL rules and says in an API server's words why one does not compile. */
import { type ASTNode, type Environment, type ParseResult, serialize } from '@marcbachmann/cel-js';
import type { SchemaNode, ValidationRule } from '../structural/schema-node.ts';
import { type CelFault, issueText } from './issues.ts';

/** An expression ready to run, or the sentence that says why there is none. */
export type Compiled = { readonly run: ParseResult; readonly type: string } | { readonly error: string };

/** Compiles one expression in an environment that knows `self` and `oldSelf`. */
export function compileExpression(environment: Environment, expression: string): Compiled {
  try {
    const run = environment.parse(expression);
    const verdict = run.check();
    if (!verdict.valid)
      return { error: issueText((verdict.error ?? {}) as CelFault, expression, environment) };
    const absent = absentField(run.ast, environment);
    if (absent !== undefined) return { error: issueText(absent, expression, environment) };
    return { run, type: verdict.type ?? 'dyn' };
  } catch (error) {
    return { error: issueText(error as CelFault, expression, environment) };
  }
}

/** `has(self.x)` of a field that the schema does not know: the library lets it pass, an API server does not. */
function absentField(node: ASTNode, environment: Environment): CelFault | undefined {
  if (node.op === 'call' && node.args[0] === 'has') {
    const [asked] = node.args[1];
    if (asked?.op !== '.') return undefined;
    const verdict = environment.check(serialize(asked));
    const summary = verdict.error?.summary;
    if (!verdict.valid && summary?.startsWith('No such key') === true)
      return { summary, range: { start: node.range.start + 'has'.length } };
    return undefined;
  }
  const parts: unknown[] = Array.isArray(node.args) ? node.args.flat(2) : [node.args];
  for (const part of parts) {
    if (typeof part !== 'object' || part === null || !('op' in part)) continue;
    const found = absentField(part as ASTNode, environment);
    if (found !== undefined) return found;
  }
  return undefined;
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

/** Compiles CEL rules and says in an API server's words why one does not compile. */
import { type ASTNode, type Environment, type ParseResult, serialize } from '@marcbachmann/cel-js';
import { hasFormat, parseGoDuration } from '../structural/formats.ts';
import { compileRegExp } from '../structural/regexp.ts';
import type { SchemaNode, ValidationRule } from '../structural/schema-node.ts';
import { type CelFault, issueText } from './issues.ts';

/** An expression ready to run, or the sentence that says why there is none. */
export type Compiled = { readonly run: ParseResult; readonly type: string } | { readonly error: string };

/** Compiles one expression in an environment that knows `self` and `oldSelf`. */
export function compileExpression(environment: Environment, expression: string): Compiled {
  try {
    const run = environment.parse(expression);
    const verdict = run.check();
    if (!verdict.valid) {
      const fault = (verdict.error ?? {}) as CelFault;
      // Only the arguments of format() may be of several types.
      if (/same type|wrong type/.test(fault.summary ?? '') && mixesOnlyInFormat(fault, run.ast))
        return compileExpression(environment.clone({ homogeneousAggregateLiterals: false }), expression);
      return { error: issueText(fault, expression, environment) };
    }
    const refused = refusedPart(run.ast, environment);
    if (refused !== undefined) return { error: issueText(refused, expression, environment) };
    return { run, type: verdict.type ?? 'dyn' };
  } catch (error) {
    return { error: issueText(error as CelFault, expression, environment) };
  }
}

function childrenOf(node: ASTNode): ASTNode[] {
  const parts: unknown[] = Array.isArray(node.args) ? node.args.flat(2) : [node.args];
  return parts.filter((part): part is ASTNode => typeof part === 'object' && part !== null && 'op' in part);
}

function mixesOnlyInFormat({ range }: CelFault, node: ASTNode): boolean {
  if (range === undefined) return false;
  if (node.op === 'rcall' && node.args[0] === 'format') {
    const [list] = node.args[2];
    if (list !== undefined && list.range.start <= range.start && range.start < list.range.end) return true;
  }
  return childrenOf(node).some((child) => mixesOnlyInFormat({ range }, child));
}

/** What the library lets pass and an API server does not: absent fields in has(), literals that cannot be parsed, cel.bind. */
function refusedPart(node: ASTNode, environment: Environment): CelFault | undefined {
  const literal = (arg: ASTNode | undefined) =>
    arg?.op === 'value' && typeof arg.args === 'string' ? arg.args : undefined;
  if (node.op === 'call') {
    const [name, [arg]] = node.args;
    if (name === 'has' && arg?.op === '.') {
      const summary = environment.check(serialize(arg)).error?.summary;
      return summary?.startsWith('No such key') === true
        ? { summary, range: { start: node.range.start + name.length } }
        : undefined;
    }
    const text = literal(arg);
    const isWrong =
      (name === 'duration' && text !== undefined && parseGoDuration(text) === undefined) ||
      (name === 'timestamp' && text !== undefined && !hasFormat(text, 'date-time'));
    if (isWrong) return { summary: `invalid ${name} argument`, range: { start: arg?.range.start ?? 0 } };
  }
  if (node.op === 'rcall') {
    const [name, receiver, [arg]] = node.args;
    if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel')
      return { summary: 'Unknown variable: cel', range: { start: receiver.range.start } };
    const pattern = literal(arg);
    if (name === 'matches' && pattern !== undefined && typeof compileRegExp(pattern) === 'string')
      return { summary: 'invalid matches argument', range: { start: arg?.range.start ?? 0 } };
  }
  for (const child of childrenOf(node)) {
    const found = refusedPart(child, environment);
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

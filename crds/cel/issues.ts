/** Why an expression does not compile, in the words and with the pointer of Kubernetes' CEL compiler. */
import type { ASTNode, Environment } from '@marcbachmann/cel-js';

export interface CelFault {
  readonly summary?: string;
  readonly message?: string;
  readonly range?: { readonly start: number; readonly end?: number };
  readonly node?: unknown;
}

const expected =
  "expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** `ERROR: <input>:1:6: undefined field 'x'` with the line and a caret below it. */
export function issueText(fault: CelFault, expression: string, environment: Environment): string {
  const summary = fault.summary ?? fault.message?.split('\n')[0] ?? 'invalid expression';
  const start = Math.min(pointer(fault, expression, summary), expression.length);
  const before = expression.slice(0, start).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const source = expression.split('\n')[before.length - 1] ?? '';
  return `ERROR: <input>:${before.length}:${column + 1}: ${wording(summary, environment)}\n | ${source}\n | ${'.'.repeat(column)}^`;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/** Where the caret stands: at the dot of a field, the operator of an operation, the bracket of a call. */
function pointer(fault: CelFault, expression: string, summary: string): number {
  const start = fault.range?.start ?? 0;
  if (!isNode(fault.node)) return start;
  const { node } = fault;
  if (node.op === '.' || node.op === '.?') {
    const dot = expression.indexOf('.', node.args[0].range.end);
    return dot < 0 ? start : dot;
  }
  if (node.op === 'rcall' || node.op === 'call') {
    const from = node.op === 'rcall' ? node.args[1].range.end : node.range.start;
    const bracket = expression.indexOf('(', from);
    return bracket < 0 ? start : bracket;
  }
  const operator = /^no such overload: .* (\S+) /.exec(summary)?.[1];
  const [left] = Array.isArray(node.args) ? node.args : [];
  if (operator !== undefined && isNode(left)) {
    const at = expression.indexOf(operator, left.range.end);
    return at < 0 ? start : at;
  }
  return start;
}

const goTypes = (text: string): string =>
  text
    .replace(/\bObjectType\d+\b/g, 'object')
    .replace(/google\.protobuf\.(Duration|Timestamp)/g, 'google.protobuf.$1')
    .replace(/\b(list|map)<([^<>]*)>/g, '$1($2)')
    .replace(/\b(list|map)<(.*)>/g, '$1($2)');

function wording(summary: string, environment: Environment): string {
  const field = /^No such key: (.+)$/.exec(summary);
  if (field !== null) return `undefined field '${field[1]}'`;
  const variable = /^Unknown variable: (.+)$/.exec(summary);
  if (variable !== null) return `undeclared reference to '${variable[1]}' (in container '')`;
  const operator = /^no such overload: (.+) (\S+) (.+)$/.exec(summary);
  if (operator !== null)
    return `found no matching overload for '_${operator[2]}_' applied to '(${goTypes(operator[1] ?? '')}, ${goTypes(operator[3] ?? '')})'`;
  const element = /^(?:List elements|Map (?:key|value)).*(expected type '.*' but found '.*')$/.exec(summary);
  if (element !== null) return goTypes(element[1] ?? '');
  const unary = /^no such overload: ([!-])(.+)$/.exec(summary);
  if (unary !== null)
    return `found no matching overload for '${unary[1]}_' applied to '(${goTypes(unary[2] ?? '')})'`;
  if (summary === 'has() invalid argument') return 'invalid argument to has() macro';
  const call = /^found no matching overload for '(?:(.+)\.)?(\w+)\((.*)\)'$/.exec(summary);
  if (call !== null) {
    const known = environment.getDefinitions().functions.some(({ name }) => name === call[2]);
    if (!known) return `undeclared reference to '${call[2]}' (in container '')`;
    const receiver = call[1] === undefined ? '' : `${goTypes(call[1])}.`;
    return `found no matching overload for '${call[2]}' applied to '${receiver}(${goTypes(call[3] ?? '')})'`;
  }
  if (/\bEOF\b/.test(summary)) return `Syntax error: mismatched input '<EOF>' ${expected}`;
  return /^(Expected|Unexpected)/.test(summary) ? `Syntax error: ${summary}` : summary;
}

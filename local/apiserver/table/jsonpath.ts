/** The JSONPath subset of printer columns: `.a.b`, `['key']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`. */
import { isJson } from '../object.ts';

type Step = (value: unknown) => unknown[];

const children = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : isJson(value) ? Object.values(value) : [];

const field =
  (name: string): Step =>
  (value) =>
    isJson(value) && Object.hasOwn(value, name) ? [value[name]] : [];

function index(position: number): Step {
  return (value) => {
    if (!Array.isArray(value)) return [];
    const at = position < 0 ? value.length + position : position;
    return at in value ? [value[at]] : [];
  };
}

function filter(text: string): Step {
  const match = /^@\.?([^\s=!<>]+)\s*(==|!=|<=|>=|<|>)\s*(.+)$/.exec(text.trim());
  if (match?.[1] === undefined) {
    const present = /^@\.?(\S+)$/.exec(text.trim())?.[1];
    if (present === undefined) throw new Error(`unrecognized filter ${text}`);
    const read = compileJsonPath(`.${present}`);
    return (value) => children(value).filter((item) => read(item).length > 0);
  }
  const read = compileJsonPath(`.${match[1]}`);
  const literal = (match[3] ?? '').trim();
  const quoted = /^(['"])(.*)\1$/.exec(literal);
  const wanted: unknown =
    quoted?.[2] ?? (literal === 'true' || literal === 'false' ? literal === 'true' : Number(literal));
  const tests: Record<string, (a: unknown) => boolean> = {
    '==': (a) => a === wanted,
    '!=': (a) => a !== wanted,
    '<': (a) => Number(a) < Number(wanted),
    '>': (a) => Number(a) > Number(wanted),
    '<=': (a) => Number(a) <= Number(wanted),
    '>=': (a) => Number(a) >= Number(wanted),
  };
  const test = tests[match[2] ?? '=='] ?? (() => false);
  return (value) => children(value).filter((item) => read(item).some(test));
}

function bracket(text: string): Step {
  if (text === '*') return children;
  if (text.startsWith('?(') && text.endsWith(')')) return filter(text.slice(2, -1));
  const quoted = /^(['"])(.*)\1$/.exec(text);
  if (quoted?.[2] !== undefined) return field(quoted[2].replaceAll(/\\(.)/g, '$1'));
  if (/^-?\d+$/.test(text)) return index(Number(text));
  const slice = /^(-?\d*):(-?\d*)$/.exec(text);
  if (slice !== null)
    return (value) =>
      Array.isArray(value)
        ? value.slice(slice[1] === '' ? 0 : Number(slice[1]), slice[2] === '' ? undefined : Number(slice[2]))
        : [];
  throw new Error(`unrecognized JSONPath part [${text}]`);
}

function closing(text: string, from: number): number {
  let quote = '';
  for (let position = from; position < text.length; position++) {
    const char = text[position] ?? '';
    if (quote !== '') {
      if (char === quote && text[position - 1] !== '\\') quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === ']') return position;
  }
  throw new Error(`unterminated [ in JSONPath ${text}`);
}

/** Compiles a path; the result lists what it finds. Throws on a path outside the subset. */
export function compileJsonPath(text: string): (value: unknown) => unknown[] {
  const steps: Step[] = [];
  let rest = text
    .trim()
    .replace(/^\{(.*)\}$/, '$1')
    .replace(/^\$/, '');
  while (rest !== '') {
    if (rest.startsWith('[')) {
      const end = closing(rest, 1);
      steps.push(bracket(rest.slice(1, end).trim()));
      rest = rest.slice(end + 1);
      continue;
    }
    const match = /^\.?((?:\\.|[^.[\\])+)/.exec(rest);
    if (match?.[1] === undefined) {
      if (rest === '.') break;
      throw new Error(`unrecognized JSONPath ${text}`);
    }
    const name = match[1].replaceAll(/\\(.)/g, '$1');
    steps.push(name === '*' ? children : field(name));
    rest = rest.slice(match[0].length);
  }
  return (value) => steps.reduce<unknown[]>((found, step) => found.flatMap(step), [value]);
}

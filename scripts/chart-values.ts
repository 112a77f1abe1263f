/** Reads `values.yaml` with its comments: each value's path, default and description. */
import { load } from 'js-yaml';

export interface ChartValue {
  /** Keys from the root, such as `['image', 'tag']`. */
  readonly path: readonly string[];
  readonly default: unknown;
  /** The comment above it, as one line. */
  readonly description: string;
  /** True when values of their own lie below it. */
  readonly isGroup: boolean;
}

const keyLine = /^( *)([A-Za-z][A-Za-z0-9]*):(.*)$/;

/** Every value in the file's order; rejects one without a comment, and an object that documents only some of its keys. */
export function readChartValues(text: string): ChartValue[] {
  const defaults = load(text) as Record<string, unknown>;
  const values: ChartValue[] = [];
  const parents: string[] = [];
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const remark = /^ *# ?(.*)$/.exec(line);
    if (remark !== null) {
      comment.push(remark[1] ?? '');
      continue;
    }
    const found = keyLine.exec(line);
    if (found === null) {
      comment = [];
      continue;
    }
    const [, indent = '', key = '', rest = ''] = found;
    parents.length = indent.length / 2;
    const path = [...parents, key];
    if (comment.length === 0) throw new Error(`values.yaml: ${path.join('.')} has no comment above it`);
    const isGroup = rest.trim() === '';
    values.push({ path, default: valueAt(defaults, path), description: comment.join(' '), isGroup });
    parents.push(key);
    comment = [];
  }
  return values;
}

const valueAt = (from: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], from);

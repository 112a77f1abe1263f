/** String functions that Kubernetes registers and the CEL library lacks. */
import type { Environment } from '@marcbachmann/cel-js';
import { compileRegExp } from '../structural/regexp.ts';
import { formatString } from './format.ts';

function regexp(pattern: string): RegExp {
  const compiled = compileRegExp(pattern);
  if (typeof compiled === 'string') throw new Error(`error parsing regexp: ${compiled}`);
  return new RegExp(compiled.source, `${compiled.flags}g`);
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  if (limit < 0n) return text.replaceAll(from, () => to);
  let [result, rest, left] = ['', text, Number(limit)];
  while (left > 0) {
    const at = rest.indexOf(from);
    if (at < 0) break;
    result += rest.slice(0, at) + to;
    rest = rest.slice(at + from.length);
    left -= 1;
  }
  return result + rest;
}

function charAt(text: string, index: bigint): string {
  const chars = [...text];
  if (index < 0n || index > BigInt(chars.length)) throw new Error(`index out of range: ${index}`);
  return chars[Number(index)] ?? '';
}

/** Registers `find`, `findAll`, `replace`, `charAt`, `format` and `strings.quote`. */
export function registerStrings(environment: Environment): void {
  environment
    .registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => regexp(pattern).exec(text)?.[0] ?? '',
    )
    .registerFunction(
      'string.findAll(string): list<string>',
      (text: string, pattern: string) => text.match(regexp(pattern)) ?? [],
    )
    .registerFunction(
      'string.findAll(string, int): list<string>',
      (text: string, pattern: string, limit: bigint) => {
        const all = text.match(regexp(pattern)) ?? [];
        return limit < 0n ? all : all.slice(0, Number(limit));
      },
    )
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      replace(text, from, to, -1n),
    )
    .registerFunction('string.replace(string, string, int): string', replace)
    .registerFunction('string.charAt(int): string', charAt)
    .registerFunction('string.format(list<dyn>): string', (text: string, args: unknown[]) =>
      formatString(text, args),
    );
  class StringsNamespace {}
  environment
    .registerType('StringsNamespace', { ctor: StringsNamespace, fields: {} })
    .registerConstant('strings', 'StringsNamespace', new StringsNamespace())
    .registerFunction('StringsNamespace.quote(string): string', (_: unknown, text: string) =>
      JSON.stringify(text),
    );
}

/** Parses label selectors as query parameters spell them, with the sentences of the real parser. */
import { messageOf } from '../../kube/log.ts';
import { badRequest } from './status-error.ts';

export interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
  readonly values: readonly string[];
}

const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Signs and words; '' is the end of the text. */
function tokensOf(text: string): string[] {
  return [...(text.match(/[()!,]|==|=|!=|<|>|[^\s()!=<>,]+/g) ?? []), ''];
}

class Parser {
  readonly #tokens: string[];
  #at = 0;

  constructor(text: string) {
    // `!=` is one sign, `!` before a key another: the pattern above tries the single sign first, so join them here.
    const tokens = tokensOf(text);
    this.#tokens = [];
    for (let index = 0; index < tokens.length; index++) {
      const token = tokens[index] ?? '';
      if (token === '!' && tokens[index + 1] === '=') {
        this.#tokens.push('!=');
        index++;
      } else this.#tokens.push(token);
    }
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    if (this.#peek() === '') return requirements;
    for (;;) {
      requirements.push(this.#checkedRequirement());
      const token = this.#next();
      if (token === '') return requirements;
      if (token !== ',') throw badRequest(`found '${token}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (after === '' || after === ',') throw badRequest(`found '${after}', expected: identifier after ','`);
    }
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? '';
  }

  #next(): string {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  /** As the real parser: what fails inside one requirement says that it could not be parsed. */
  #checkedRequirement(): Requirement {
    try {
      return this.#requirement();
    } catch (error) {
      throw badRequest(`unable to parse requirement: ${messageOf(error)}`);
    }
  }

  #requirement(): Requirement {
    const negated = this.#peek() === '!';
    if (negated) this.#next();
    const key = this.#next();
    if (key === '' || /^([()!,<>]|[=!]?=)$/.test(key))
      throw badRequest(`found '${key}', expected: identifier`);
    if (!qualifiedName.test(key))
      throw badRequest(
        `key: Invalid value: ${JSON.stringify(key)}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      );
    const following = this.#peek();
    if (negated || following === '' || following === ',')
      return { key, operator: negated ? '!' : 'exists', values: [] };
    const operator = this.#next();
    switch (operator) {
      case '=':
      case '==':
      case '!=':
        return { key, operator: operator === '!=' ? '!=' : '=', values: [this.#value()] };
      case '>':
      case '<':
        return { key, operator: operator === '>' ? 'gt' : 'lt', values: [this.#number(operator)] };
      case 'in':
      case 'notin':
        return { key, operator, values: this.#values() };
      default:
        throw badRequest(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #value(): string {
    if (this.#peek() === ',' || this.#peek() === '') return '';
    const value = this.#next();
    if (!labelValue.test(value) || value.length > 63)
      throw badRequest(
        `values[0]: Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      );
    return value;
  }

  #number(sign: string): string {
    const value = this.#next();
    if (!/^-?\d+$/.test(value))
      throw badRequest(
        `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer (after ${sign})`,
      );
    return value;
  }

  #values(): string[] {
    if (this.#next() !== '(') throw badRequest(`found '${this.#tokens[this.#at - 1]}' expected: '('`);
    const values: string[] = [];
    let expectsValue = true;
    for (;;) {
      const token = this.#next();
      if (token === '') throw badRequest("found '', expected: ',' or ')'");
      if (token === ')') {
        if (expectsValue) values.push('');
        return values;
      }
      if (token === ',') {
        if (expectsValue) values.push('');
        expectsValue = true;
      } else if (expectsValue) {
        values.push(token);
        expectsValue = false;
      } else throw badRequest(`found '${token}', expected: ',' or ')'`);
    }
  }
}

/** The requirements of `a=b,c in (d,e),!f`. */
export function parseRequirements(text: string): Requirement[] {
  return new Parser(text).parse();
}

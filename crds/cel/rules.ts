/** Evaluates the `x-kubernetes-validations` of a schema with an API server's verdicts and words. */
import { type Environment, Optional, type ParseResult } from '@marcbachmann/cel-js';
import { correlateField, correlateItems, isUnchanged } from '../structural/correlate.ts';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  omitValue,
  required,
} from '../structural/field-error.ts';
import { isObject, mapValueSchema, type SchemaNode, type ValidationRule } from '../structural/schema-node.ts';
import { compileExpression, fieldPathOf, usesOldSelf } from './compile.ts';
import { createEnvironment } from './environment.ts';
import { CelTypes } from './types.ts';

interface CompiledRule {
  readonly rule: ValidationRule;
  readonly run: ParseResult | undefined;
  readonly error: string | undefined;
  readonly message: ParseResult | undefined;
  readonly isTransition: boolean;
  readonly fieldPath: string;
}

interface Place {
  readonly schema: SchemaNode;
  readonly path: string;
  readonly value: unknown;
  /** The value that this one takes the place of, when there is one that can be compared. */
  readonly old: unknown;
  /** True when the nearest comparable value is unchanged, so that its errors were there before. */
  readonly unchanged: boolean;
  readonly isRoot: boolean;
}

const maxMessageBytes = 5_120;

const withRules = new WeakMap<SchemaNode, boolean>();

/** Whether a schema has rules anywhere. */
export function hasRules(schema: SchemaNode | undefined): boolean {
  if (schema === undefined) return false;
  let known = withRules.get(schema);
  if (known === undefined) {
    known = findRules(schema);
    withRules.set(schema, known);
  }
  return known;
}

function findRules(schema: SchemaNode): boolean {
  return (
    (schema['x-kubernetes-validations']?.length ?? 0) > 0 ||
    hasRules(schema.items) ||
    hasRules(mapValueSchema(schema)) ||
    Object.values(schema.properties ?? {}).some(hasRules) ||
    (schema.allOf ?? []).some(hasRules)
  );
}

/** The compiled rules of one schema; compiling happens once per node, when a value first reaches it. */
export class CelRules {
  readonly #schema: SchemaNode;
  readonly #environment = createEnvironment();
  readonly #types = new CelTypes(this.#environment);
  readonly #compiled = new Map<SchemaNode, readonly CompiledRule[]>();
  readonly #any: boolean;

  constructor(schema: SchemaNode) {
    this.#schema = schema;
    this.#any = hasRules(schema);
    // Types must be registered before the environment is cloned for the first rule.
    if (this.#any) this.#types.registerAll(schema, true);
  }

  /** Errors of all rules for a whole object; with `old`, transition rules run and unchanged parts are let through. */
  evaluate(value: unknown, old?: unknown): FieldError[] {
    if (!this.#any) return [];
    const errors: FieldError[] = [];
    this.#visit(
      {
        schema: this.#schema,
        path: '',
        value,
        old,
        unchanged: isUnchanged(value, old),
        isRoot: true,
      },
      errors,
    );
    return errors;
  }

  /** The rules of one node; `base` is the schema whose type they see, the node itself but for branches of `allOf`. */
  #compileNode(schema: SchemaNode, base: SchemaNode, isRoot: boolean): readonly CompiledRule[] {
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    const type = this.#types.typeOf(base, isRoot);
    const list = (schema['x-kubernetes-validations'] ?? []).map((rule) => this.#compile(rule, base, type));
    this.#compiled.set(schema, list);
    return list;
  }

  #compile(rule: ValidationRule, schema: SchemaNode, type: string | undefined): CompiledRule {
    const nothing = {
      rule,
      run: undefined,
      message: undefined,
      isTransition: usesOldSelf(rule.rule),
      fieldPath: '',
    };
    if (type === undefined)
      return {
        ...nothing,
        error: 'rule compiler initialization error: failed to convert to declType for CEL validation rules',
      };
    if (rule.rule.trim() === '') return { ...nothing, error: undefined };
    const environment: Environment = this.#environment
      .clone()
      .registerVariable('self', type)
      .registerVariable('oldSelf', rule.optionalOldSelf === true ? `optional<${type}>` : type);
    const compiled = compileExpression(environment, rule.rule);
    if ('error' in compiled)
      return { ...nothing, error: `rule compile error: compilation failed: ${compiled.error}` };
    if (compiled.type !== 'bool' && compiled.type !== 'dyn')
      return { ...nothing, error: 'rule compile error: cel expression must evaluate to a bool' };
    const message =
      rule.messageExpression === undefined || rule.messageExpression === ''
        ? undefined
        : compileExpression(environment, rule.messageExpression);
    const field = fieldPathOf(rule, schema);
    return {
      ...nothing,
      run: compiled.run,
      error: undefined,
      message: message !== undefined && 'run' in message ? message.run : undefined,
      fieldPath: 'path' in field ? field.path : '',
    };
  }

  #visit(place: Place, errors: FieldError[]): void {
    const { schema, path, value, old } = place;
    if (value === null || value === undefined) return;
    this.#run(place, schema, errors);
    for (const branch of schema.allOf ?? []) this.#run(place, branch, errors);
    const below = (inner: unknown, node: SchemaNode, at: string, before: unknown) => {
      if (!hasRules(node)) return;
      this.#visit(
        {
          schema: node,
          path: at,
          value: inner,
          old: before,
          unchanged: before === undefined ? place.unchanged : isUnchanged(inner, before),
          isRoot: node['x-kubernetes-embedded-resource'] === true,
        },
        errors,
      );
    };
    if (Array.isArray(value) && schema.items !== undefined) {
      const items = schema.items;
      const before = correlateItems(value, old, schema);
      value.forEach((item, index) => {
        below(item, items, `${path}[${index}]`, before[index]);
      });
    } else if (isObject(value)) {
      const values = mapValueSchema(schema);
      if (values !== undefined)
        for (const [key, inner] of Object.entries(value))
          below(inner, values, `${path}[${key}]`, correlateField(old, key));
      for (const [name, node] of Object.entries(schema.properties ?? {}))
        if (Object.hasOwn(value, name))
          below(value[name], node, path === '' ? name : `${path}.${name}`, correlateField(old, name));
    }
  }

  #run(
    { schema, path, value, old, unchanged, isRoot }: Place,
    holder: SchemaNode,
    errors: FieldError[],
  ): void {
    const rules = this.#compileNode(holder, schema, isRoot);
    if (rules.length === 0) return;
    const type = isRoot ? 'object' : (schema.type ?? '');
    const self = this.#types.valueOf(value, schema, isRoot);
    const oldSelf = old === undefined || old === null ? undefined : this.#types.valueOf(old, schema, isRoot);
    for (const compiled of rules) {
      const { rule } = compiled;
      if (compiled.error !== undefined) {
        errors.push(invalid(path, type, compiled.error));
        continue;
      }
      if (compiled.run === undefined) continue;
      const optional = rule.optionalOldSelf === true;
      if (compiled.isTransition && oldSelf === undefined && !optional) continue;
      const context = {
        self,
        oldSelf: optional
          ? oldSelf === undefined
            ? Optional.none()
            : Optional.of(oldSelf)
          : (oldSelf ?? null),
      };
      let verdict: unknown;
      try {
        verdict = compiled.run(context);
      } catch (error) {
        errors.push(invalid(path, type, runtimeText(error, rule)));
        continue;
      }
      if (verdict === true) continue;
      if (!compiled.isTransition && unchanged) continue;
      const at =
        compiled.fieldPath === '' ? path : path === '' ? compiled.fieldPath : `${path}.${compiled.fieldPath}`;
      const shown = type === 'object' || type === 'array' ? omitValue : value;
      errors.push(errorFor(rule, at, shown, messageOf(compiled, context)));
    }
  }
}

function ruleText(rule: ValidationRule): string {
  return (rule.message === undefined || rule.message === '' ? rule.rule : rule.message).trim();
}

function runtimeText(error: unknown, rule: ValidationRule): string {
  const fault = error as { summary?: string; message?: string };
  const summary = fault.summary ?? fault.message?.split('\n')[0] ?? String(error);
  if (/no such overload|no matching overload/.test(summary))
    return `'no such overload': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`;
  return `${runtimeWords(summary)} evaluating rule: ${ruleText(rule)}`;
}

function runtimeWords(summary: string): string {
  const bounds = /^No such key: index out of bounds, index (\d+)/.exec(summary);
  if (bounds !== null) return `index out of bounds: ${bounds[1]}`;
  const conversion = /^Invalid (duration|timestamp)/i.exec(summary)?.[1];
  if (conversion !== undefined) {
    const type = conversion.toLowerCase() === 'duration' ? 'Duration' : 'Timestamp';
    return `type conversion error from 'string' to 'google.protobuf.${type}'`;
  }
  return summary.replace(/^No such key: /, 'no such key: ');
}

function messageOf(compiled: CompiledRule, context: { self: unknown; oldSelf: unknown }): string {
  if (compiled.message !== undefined) {
    try {
      const text: unknown = compiled.message(context);
      const trimmed = typeof text === 'string' ? text.trim() : '';
      if (trimmed !== '' && !trimmed.includes('\n') && Buffer.byteLength(trimmed) <= maxMessageBytes)
        return trimmed;
    } catch {
      // A message that cannot be computed gives way to the fixed one.
    }
  }
  const { message } = compiled.rule;
  return message === undefined || message === '' ? `failed rule: ${ruleText(compiled.rule)}` : message.trim();
}

function errorFor(rule: ValidationRule, path: string, value: unknown, detail: string): FieldError {
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return forbidden(path, detail);
    case 'FieldValueRequired':
      return required(path, detail);
    case 'FieldValueDuplicate':
      return duplicate(path, value);
    default:
      return invalid(path, value, detail);
  }
}

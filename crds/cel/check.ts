/** Checks the rules of a schema as an API server does when a CustomResourceDefinition is written. */
import { type FieldError, forbidden, invalid } from '../structural/field-error.ts';
import { mapValueSchema, type SchemaNode, type ValidationRule } from '../structural/schema-node.ts';
import { compileExpression, usesOldSelf } from './compile.ts';
import { expressionCost } from './cost.ts';
import { createEnvironment } from './environment.ts';
import { maxCardinality } from './sizes.ts';
import { asResourceRoot, CelTypes } from './types.ts';

/** A rule as Go prints it in messages. */
const goRule = (rule: ValidationRule) => ({
  Rule: rule.rule,
  Message: rule.message ?? '',
  MessageExpression: rule.messageExpression ?? '',
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? '',
  OptionalOldSelf: rule.optionalOldSelf ?? null,
});

/** Most that one expression may cost, and all of a schema together. */
const expressionLimit = 10_000_000;
const schemaLimit = 100_000_000;
const advice =
  'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared';

function costText(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : `${factor.toFixed(factor < 1.5 ? 6 : 1)}x`;
  return `${what} exceeds budget by factor of ${shown} (${advice})`;
}

/** Adds up what the expressions of one schema cost at most. */
class Costs {
  readonly #found: { field: string; cost: number }[] = [];
  #total = 0;

  /** The error of one expression that costs too much by itself, when it does. */
  observe(field: string, what: string, cost: number): FieldError[] {
    this.#total += cost;
    if (cost >= schemaLimit / 100) this.#found.push({ field, cost });
    return cost > expressionLimit
      ? [forbidden(field, costText(`estimated ${what} cost`, cost, expressionLimit))]
      : [];
  }

  /** Errors of all together. */
  errors(path: string): FieldError[] {
    if (this.#total <= schemaLimit) return [];
    const top = this.#found.sort((a, b) => b.cost - a.cost).slice(0, 4);
    return [
      ...top.map(({ field }) =>
        forbidden(
          field,
          'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
        ),
      ),
      forbidden(
        path,
        costText(
          'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema',
          this.#total,
          schemaLimit,
        ),
      ),
    ];
  }
}

interface Place {
  readonly node: SchemaNode;
  /** How often values of the node can stand in one object; undefined below a list or map without a bound. */
  readonly count: number | undefined;
  readonly path: string;
  readonly isRoot: boolean;
  /** Path of the nearest list whose items cannot be compared with old ones. */
  readonly uncorrelatable: string | undefined;
}

/** Compile errors of every rule below the schema, and uses of `oldSelf` where there is none. */
export function ruleCompileErrors(schema: SchemaNode, path: string): FieldError[] {
  const environment = createEnvironment();
  const types = new CelTypes(environment);
  types.registerAll(schema, true);
  const errors: FieldError[] = [];
  const costs = new Costs();
  const visit = ({ node, count, path: at, isRoot, uncorrelatable }: Place): void => {
    const type = types.typeOf(node, isRoot);
    node['x-kubernetes-validations']?.forEach((rule, index) => {
      if (type === undefined || rule.rule.trim() === '') return;
      const place = `${at}.x-kubernetes-validations[${index}]`;
      const scope = environment
        .clone()
        .registerVariable('self', type)
        .registerVariable('oldSelf', rule.optionalOldSelf === true ? `optional<${type}>` : type);
      errors.push(...oneRule(rule, place, scope, uncorrelatable));
      const times = count ?? maxCardinality(node);
      const visible = isRoot ? asResourceRoot(node) : node;
      for (const [field, what] of [
        ['rule', 'rule'],
        ['messageExpression', 'messageExpression'],
      ] as const) {
        const compiled = compileExpression(scope, rule[field] ?? '');
        if ((rule[field] ?? '') === '' || 'error' in compiled) continue;
        const cost = expressionCost(compiled.run.ast, visible);
        // The message is computed once only, whatever the number of values.
        errors.push(...costs.observe(`${place}.${field}`, `${what}`, field === 'rule' ? cost * times : cost));
      }
    });
    const below = (inner: SchemaNode, innerPath: string, most: number | undefined, lost = uncorrelatable) =>
      visit({
        node: inner,
        count: count === undefined || most === undefined ? undefined : count * most,
        path: innerPath,
        isRoot: inner['x-kubernetes-embedded-resource'] === true,
        uncorrelatable: lost,
      });
    for (const [name, inner] of Object.entries(node.properties ?? {}))
      below(inner, `${at}.properties[${name}]`, 1);
    const values = mapValueSchema(node);
    if (values !== undefined) below(values, `${at}.additionalProperties`, node.maxProperties);
    if (node.items !== undefined)
      below(
        node.items,
        `${at}.items`,
        node.maxItems,
        node['x-kubernetes-list-type'] === 'map' ? uncorrelatable : at,
      );
  };
  visit({ node: schema, count: 1, path, isRoot: true, uncorrelatable: undefined });
  return [...errors, ...costs.errors(path)];
}

function oneRule(
  rule: ValidationRule,
  at: string,
  scope: ReturnType<typeof createEnvironment>,
  uncorrelatable: string | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const compiled = compileExpression(scope, rule.rule);
  if ('error' in compiled)
    errors.push(invalid(`${at}.rule`, goRule(rule), `compilation failed: ${compiled.error}`));
  else if (compiled.type !== 'bool')
    errors.push(invalid(`${at}.rule`, goRule(rule), 'cel expression must evaluate to a bool'));
  else if ((rule.messageExpression ?? '') !== '') {
    const message = compileExpression(scope, rule.messageExpression ?? '');
    if ('error' in message)
      errors.push(
        invalid(
          `${at}.messageExpression`,
          goRule(rule),
          `messageExpression compilation failed: ${message.error}`,
        ),
      );
    else if (message.type !== 'string' && message.type !== 'dyn')
      errors.push(
        invalid(`${at}.messageExpression`, goRule(rule), 'messageExpression must evaluate to a string'),
      );
  }
  if ('error' in compiled) return errors;
  if (usesOldSelf(rule.rule)) {
    if (uncorrelatable !== undefined)
      errors.push(
        invalid(
          `${at}.rule`,
          rule.rule,
          `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`,
        ),
      );
  } else if (rule.optionalOldSelf !== undefined)
    errors.push(
      invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
    );
  return errors;
}

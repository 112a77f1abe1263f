/** Checks the rules of a schema as an API server does when a CustomResourceDefinition is written. */
import { type FieldError, invalid } from '../structural/field-error.ts';
import { mapValueSchema, type SchemaNode, type ValidationRule } from '../structural/schema-node.ts';
import { compileExpression, usesOldSelf } from './compile.ts';
import { createEnvironment } from './environment.ts';
import { CelTypes } from './types.ts';

/** A rule as Go prints it in messages. */
const goRule = (rule: ValidationRule) => ({
  Rule: rule.rule,
  Message: rule.message ?? '',
  MessageExpression: rule.messageExpression ?? '',
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? '',
  OptionalOldSelf: rule.optionalOldSelf ?? null,
});

interface Place {
  readonly node: SchemaNode;
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
  const visit = ({ node, path: at, isRoot, uncorrelatable }: Place): void => {
    const type = types.typeOf(node, isRoot);
    node['x-kubernetes-validations']?.forEach((rule, index) => {
      if (type === undefined || rule.rule.trim() === '') return;
      const place = `${at}.x-kubernetes-validations[${index}]`;
      const scope = environment
        .clone()
        .registerVariable('self', type)
        .registerVariable('oldSelf', rule.optionalOldSelf === true ? `optional<${type}>` : type);
      errors.push(...oneRule(rule, place, scope, uncorrelatable));
    });
    const below = (inner: SchemaNode, innerPath: string, lost = uncorrelatable) =>
      visit({
        node: inner,
        path: innerPath,
        isRoot: inner['x-kubernetes-embedded-resource'] === true,
        uncorrelatable: lost,
      });
    for (const [name, inner] of Object.entries(node.properties ?? {}))
      below(inner, `${at}.properties[${name}]`);
    const values = mapValueSchema(node);
    if (values !== undefined) below(values, `${at}.additionalProperties`);
    if (node.items !== undefined)
      below(node.items, `${at}.items`, node['x-kubernetes-list-type'] === 'map' ? uncorrelatable : at);
  };
  visit({ node: schema, path, isRoot: true, uncorrelatable: undefined });
  return errors;
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

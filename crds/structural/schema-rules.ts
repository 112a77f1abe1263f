/** What an API server asks of the schema in a CustomResourceDefinition, beside being structural. */
import { type FieldError, forbidden, invalid, notSupported, required } from './field-error.ts';
import { mapValueSchema, type SchemaNode } from './schema-node.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const unsupported = ['$ref', 'definitions', 'dependencies', 'patternProperties', 'additionalItems', 'id'];

/** Errors of one schema and everything below it; `fieldPathProblem` says whether a rule's fieldPath leads somewhere. */
export function schemaRuleErrors(
  node: SchemaNode,
  path: string,
  hasField: (fieldPath: string, node: SchemaNode) => boolean,
): FieldError[] {
  const below = (inner: SchemaNode | undefined, at: string) =>
    inner === undefined ? [] : schemaRuleErrors(inner, at, hasField);
  const errors: FieldError[] = [];
  const type = node.type ?? '';
  if (type !== '' && !types.includes(type)) errors.push(notSupported(`${path}.type`, type, types));
  for (const key of unsupported)
    if (Object.hasOwn(node, key)) errors.push(forbidden(`${path}.${key}`, `${key} is not supported`));
  if (node.uniqueItems === true)
    errors.push(
      forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  const values = mapValueSchema(node);
  if (
    node.additionalProperties !== undefined &&
    node.additionalProperties !== true &&
    Object.keys(node.properties ?? {}).length > 0
  )
    errors.push(
      forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    );
  errors.push(...below(values, `${path}.additionalProperties`));
  for (const [name, inner] of Object.entries(node.properties ?? {}))
    errors.push(...below(inner, `${path}.properties[${name}]`));
  errors.push(...below(node.not, `${path}.not`));
  for (const list of ['allOf', 'oneOf', 'anyOf'] as const)
    node[list]?.forEach((inner, index) => {
      errors.push(...below(inner, `${path}.${list}[${index}]`));
    });
  errors.push(...below(node.items, `${path}.items`));
  if (node['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  errors.push(
    ...mapTypeErrors(node, path),
    ...listTypeErrors(node, path),
    ...ruleErrors(node, path, hasField),
  );
  return errors;
}

function wrongType(node: SchemaNode, path: string, text: string): FieldError {
  const type = node.type ?? '';
  return type === '' ? required(`${path}.type`, text) : invalid(`${path}.type`, type, text);
}

function mapTypeErrors(node: SchemaNode, path: string): FieldError[] {
  const mapType = node['x-kubernetes-map-type'];
  if (mapType === undefined) return [];
  return [
    ...(node.type === 'object'
      ? []
      : [wrongType(node, path, 'must be object if x-kubernetes-map-type is specified')]),
    ...(['atomic', 'granular'].includes(mapType)
      ? []
      : [notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular'])]),
  ];
}

function listTypeErrors(node: SchemaNode, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const listType = node['x-kubernetes-list-type'];
  const keys = node['x-kubernetes-list-map-keys'] ?? [];
  const items = node.items;
  if (listType !== undefined && node.type !== 'array')
    errors.push(wrongType(node, path, 'must be array if x-kubernetes-list-type is specified'));
  else if (listType === 'set') {
    const text = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    const [list, map] = [items?.['x-kubernetes-list-type'], items?.['x-kubernetes-map-type']];
    if (items?.type === 'array' && list !== undefined && list !== 'atomic')
      errors.push(invalid(`${path}.items.x-kubernetes-list-type`, list, text));
    if (items?.type === 'object' && map !== 'atomic')
      errors.push(invalid(`${path}.items.x-kubernetes-map-type`, list ?? null, text));
  }
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType))
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  if (keys.length > 0 && listType !== 'map') {
    const text = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(
      listType === undefined
        ? required(`${path}.x-kubernetes-list-type`, text)
        : invalid(`${path}.x-kubernetes-list-type`, listType, text),
    );
  }
  if (listType !== 'map') return errors;
  if (keys.length === 0)
    errors.push(
      required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
    );
  if (items === undefined)
    errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
  else if (items.type !== 'object')
    errors.push(
      invalid(
        `${path}.items.type`,
        items.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    );
  else errors.push(...mapKeyErrors(items, keys, path));
  return errors;
}

function mapKeyErrors(items: SchemaNode, keys: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  if (items.nullable === true)
    errors.push(forbidden(`${path}.items.nullable`, 'cannot be nullable when x-kubernetes-list-type is map'));
  for (const key of keys) {
    const schema = items.properties?.[key];
    const at = `${path}.items.properties[${key}]`;
    if (schema === undefined)
      errors.push(
        invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties'),
      );
    else if (schema.type === 'array' || schema.type === 'object')
      errors.push(
        invalid(
          `${at}.type`,
          items.type,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      );
    if (seen.has(key))
      errors.push(invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'must not contain duplicate entries'));
    seen.add(key);
    if (schema !== undefined && schema.default === undefined && items.required?.includes(key) !== true)
      errors.push(
        required(
          `${at}.default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      );
    if (schema?.nullable === true)
      errors.push(
        forbidden(
          `${at}.nullable`,
          'this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
        ),
      );
  }
  return errors;
}

function ruleErrors(
  node: SchemaNode,
  path: string,
  hasField: (fieldPath: string, node: SchemaNode) => boolean,
): FieldError[] {
  return (node['x-kubernetes-validations'] ?? []).flatMap((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    const errors: FieldError[] = [];
    const [text, message] = [rule.rule.trim(), (rule.message ?? '').trim()];
    if (text === '') errors.push(required(`${at}.rule`, 'rule is not specified'));
    else if ((rule.message ?? '') !== '' && message === '')
      errors.push(invalid(`${at}.message`, rule.message, 'must be non-empty if specified'));
    else if (message.includes('\n'))
      errors.push(invalid(`${at}.message`, rule.message, 'must not contain line breaks'));
    else if (text.includes('\n') && message === '')
      errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
    if ((rule.messageExpression ?? '') !== '' && rule.messageExpression?.trim() === '')
      errors.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
    if (rule.reason !== undefined && !reasons.includes(rule.reason))
      errors.push(notSupported(`${at}.reason`, rule.reason, reasons));
    const fieldPath = rule.fieldPath ?? '';
    if (fieldPath !== '' && !hasField(fieldPath, node))
      errors.push(invalid(`${at}.fieldPath`, fieldPath, 'must be a valid path'));
    return errors;
  });
}

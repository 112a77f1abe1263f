/** Whether a schema is structural: types everywhere, logic without types, metadata untouched. */
import { type FieldError, forbidden, invalid, required } from './field-error.ts';
import { compileRegExp } from './regexp.ts';
import { mapValueSchema, type SchemaNode } from './schema-node.ts';

type Level = 'root' | 'item' | 'field';

const missingType: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

/** The two ways in which `anyOf` may carry types: an int-or-string spelled out. */
function isIntOrString(list: readonly SchemaNode[] | undefined): boolean {
  return list?.length === 2 && list[0]?.type === 'integer' && list[1]?.type === 'string';
}

/** Errors of everything that keeps a schema from being structural. */
export function structuralityErrors(schema: SchemaNode, path: string): FieldError[] {
  return invariants(schema, 'root', path);
}

function invariants(node: SchemaNode, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = node.type ?? '';
  const embedded = node['x-kubernetes-embedded-resource'] === true;
  const open = node['x-kubernetes-preserve-unknown-fields'] === true;
  const intOrString = node['x-kubernetes-int-or-string'] === true;
  if (type === 'array' && node.items === undefined)
    errors.push(required(`${path}.items`, 'must be specified'));
  if (node.items !== undefined) errors.push(...invariants(node.items, 'item', `${path}.items`));
  for (const [name, inner] of Object.entries(node.properties ?? {}))
    errors.push(...invariants(inner, 'field', `${path}.properties[${name}]`));
  if (node.additionalProperties !== undefined) {
    if (level === 'root')
      errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
    const values = mapValueSchema(node);
    if (values !== undefined) errors.push(...invariants(values, 'field', `${path}.additionalProperties`));
    if (embedded)
      errors.push(
        forbidden(
          `${path}.additionalProperties`,
          'must not be used if x-kubernetes-embedded-resource is set',
        ),
      );
  }
  if (intOrString && open)
    errors.push(
      invalid(
        `${path}.x-kubernetes-preserve-unknown-fields`,
        true,
        'must be false if x-kubernetes-int-or-string is true',
      ),
    );
  errors.push(...logicErrors(node, path));
  if (embedded && type !== 'object') {
    const text = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(`${path}.type`, text) : invalid(`${path}.type`, type, text));
  } else if (type === '' && !intOrString && !open) errors.push(required(`${path}.type`, missingType[level]));
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  if (level === 'root' || embedded)
    for (const name of ['kind', 'apiVersion']) {
      const inner = node.properties?.[name];
      if (inner !== undefined && inner.type !== 'string')
        errors.push(invalid(`${path}.properties[${name}].type`, inner.type ?? '', 'must be string'));
    }
  const metadata = node.properties?.metadata;
  if (metadata !== undefined && (level === 'root' || embedded)) {
    if (metadata.type !== 'object')
      errors.push(invalid(`${path}.properties[metadata].type`, metadata.type ?? '', 'must be object'));
    if (level === 'root' && !isPlainMetadata(metadata))
      errors.push(
        forbidden(
          `${path}.properties[metadata]`,
          'must not specify anything other than name and generateName, but metadata is implicitly specified',
        ),
      );
  }
  if (embedded && !open && Object.keys(node.properties ?? {}).length === 0)
    errors.push(
      required(
        `${path}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    );
  return errors;
}

function isPlainMetadata(node: SchemaNode): boolean {
  const names = Object.keys(node.properties ?? {});
  const others = Object.keys(node).filter(
    (key) => !['type', 'properties', 'description', 'title', 'default'].includes(key),
  );
  return others.length === 0 && names.every((name) => name === 'name' || name === 'generateName');
}

function logicErrors(node: SchemaNode, path: string, skipAnyOf = isIntOrString(node.anyOf)): FieldError[] {
  const errors: FieldError[] = [];
  if (!skipAnyOf)
    node.anyOf?.forEach((branch, index) => {
      errors.push(...branchErrors(branch, `${path}.anyOf[${index}]`));
    });
  node.allOf?.forEach((branch, index) => {
    errors.push(
      ...branchErrors(branch, `${path}.allOf[${index}]`, index === 0 && isIntOrString(branch.anyOf)),
    );
  });
  node.oneOf?.forEach((branch, index) => {
    errors.push(...branchErrors(branch, `${path}.oneOf[${index}]`));
  });
  if (node.not !== undefined) errors.push(...branchErrors(node.not, `${path}.not`));
  if (node.pattern !== undefined && node.pattern !== '') {
    const compiled = compileRegExp(node.pattern);
    if (typeof compiled === 'string')
      errors.push(
        invalid(
          `${path}.pattern`,
          node.pattern,
          `must be a valid regular expression, but isn't: error parsing regexp: ${compiled}`,
        ),
      );
  }
  return errors;
}

function branchErrors(branch: SchemaNode, path: string, skipAnyOf = false): FieldError[] {
  const errors = logicErrors(branch, path, skipAnyOf);
  if (branch.items !== undefined) errors.push(...branchErrors(branch.items, `${path}.items`));
  for (const [name, inner] of Object.entries(branch.properties ?? {}))
    errors.push(...branchErrors(inner, `${path}.properties[${name}]`));
  const text = 'must be empty to be structural';
  if ((branch.type ?? '') !== '') errors.push(forbidden(`${path}.type`, text));
  if (branch.additionalProperties !== undefined)
    errors.push(forbidden(`${path}.additionalProperties`, 'must be undefined to be structural'));
  for (const field of ['title', 'description'] as const)
    if ((branch[field] ?? '') !== '') errors.push(forbidden(`${path}.${field}`, text));
  if (branch.default !== undefined)
    errors.push(forbidden(`${path}.default`, 'must be undefined to be structural'));
  if (branch.nullable === true) errors.push(forbidden(`${path}.nullable`, 'must be false to be structural'));
  for (const field of ['x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string'] as const)
    if (branch[field] === true) errors.push(forbidden(`${path}.${field}`, 'must be false to be structural'));
  if (branch['x-kubernetes-preserve-unknown-fields'] !== undefined)
    errors.push(
      forbidden(`${path}.x-kubernetes-preserve-unknown-fields`, 'must be undefined to be structural'),
    );
  for (const field of ['x-kubernetes-list-type', 'x-kubernetes-map-type'] as const)
    if (branch[field] !== undefined)
      errors.push(forbidden(`${path}.${field}`, 'must be undefined to be structural'));
  for (const field of ['x-kubernetes-list-map-keys', 'x-kubernetes-validations'] as const)
    if ((branch[field]?.length ?? 0) > 0)
      errors.push(forbidden(`${path}.${field}`, 'must be empty to be structural'));
  return errors;
}

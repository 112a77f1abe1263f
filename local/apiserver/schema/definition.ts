/** Checks of a CustomResourceDefinition as a whole: names, versions, subresources, columns, and the schema of each version. */
import { definitionSchemaErrors } from '../../../crds/structural/definition.ts';
import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../crds/structural/field-error.ts';
import {
  deepEqual,
  isObject,
  type JsonObject,
  type SchemaNode,
} from '../../../crds/structural/schema-node.ts';
import { objectAt, objectsAt, textAt } from './defaults/access.ts';
import { subdomainProblems } from './semantic/names.ts';

const label1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

function label1035Errors(text: string, field: string, prefix = ''): FieldError[] {
  if (text.length > 63) return [invalid(field, text, `${prefix}must be no more than 63 bytes`)];
  return /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(prefix === '' ? text : text.toLowerCase())
    ? []
    : [invalid(field, text, `${prefix}${label1035}`)];
}

const textsAt = (parent: unknown, name: string): string[] => {
  const value = isObject(parent) ? parent[name] : undefined;
  return Array.isArray(value) ? value.map(String) : [];
};

function nameErrors(names: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const mixed = 'may have mixed case, but should otherwise match: ';
  for (const [field, prefix] of [
    ['plural', ''],
    ['singular', ''],
    ['kind', mixed],
    ['listKind', mixed],
  ] as const) {
    const at = `spec.names.${field}`;
    const text = textAt(names, field);
    if (text === '') {
      if (field !== 'singular') errors.push(required(at));
    } else errors.push(...label1035Errors(text, at, prefix));
  }
  textsAt(names, 'shortNames').forEach((text, index) => {
    errors.push(...label1035Errors(text, `spec.names.shortNames[${index}]`));
  });
  textsAt(names, 'categories').forEach((text, index) => {
    errors.push(...label1035Errors(text, `spec.names.categories[${index}]`));
  });
  if (textAt(names, 'kind') !== '' && textAt(names, 'kind') === textAt(names, 'listKind'))
    errors.push(
      invalid('spec.names.listKind', textAt(names, 'listKind'), 'kind and listKind may not be the same'),
    );
  return errors;
}

/** Parts of a version that stand at the top of the spec in messages when all versions share them. */
function placeOf(spec: JsonObject, index: number, part: string, top: string): string {
  const versions = objectsAt(spec, 'versions');
  const shared = versions.every((version) => deepEqual(version[part], versions[0]?.[part]));
  return shared ? top : `spec.versions[${index}].${part}`;
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];

function columnErrors(version: JsonObject, at: string): FieldError[] {
  return objectsAt(version, 'additionalPrinterColumns').flatMap((column, index) => {
    const errors: FieldError[] = [];
    if (textAt(column, 'name') === '') errors.push(required(`${at}[${index}].name`));
    const type = textAt(column, 'type');
    if (type === '') errors.push(required(`${at}[${index}].type`, `must be one of ${columnTypes.join(',')}`));
    else if (!columnTypes.includes(type))
      errors.push(invalid(`${at}[${index}].type`, type, `must be one of ${columnTypes.join(',')}`));
    const path = textAt(column, 'jsonPath');
    if (path === '') errors.push(required(`${at}[${index}].JSONPath`));
    else if (!path.startsWith('.'))
      errors.push(invalid(`${at}[${index}].JSONPath`, path, 'must be a simple json path starting with .'));
    return errors;
  });
}

function scaleErrors(version: JsonObject, at: string): FieldError[] {
  const scale = objectAt(objectAt(version, 'subresources'), 'scale');
  if (scale === undefined) return [];
  return [
    ['specReplicasPath', '.spec'],
    ['statusReplicasPath', '.status'],
    ['labelSelectorPath', '.status'],
  ].flatMap(([field = '', root = '']) => {
    const path = textAt(scale, field);
    const place = `${at}.scale.${field}`;
    if (path === '') return field === 'labelSelectorPath' ? [] : [required(place)];
    if (!/^(\.[A-Za-z0-9_-]+)+$/.test(path))
      return [invalid(place, path, 'must be a simple json path starting with .')];
    if (path === root || !path.startsWith(`${root}.`)) {
      const wanted = field === 'labelSelectorPath' ? 'either .spec or .status' : root;
      const isSelector = field === 'labelSelectorPath' && path.startsWith('.spec.');
      return isSelector ? [] : [invalid(place, path, `should be a json path under ${wanted}`)];
    }
    return [];
  });
}

function versionErrors(spec: JsonObject): FieldError[] {
  const versions = objectsAt(spec, 'versions');
  const errors: FieldError[] = [];
  const shown = versions.map((version) => ({
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }));
  const names = versions.map((version) => textAt(version, 'name'));
  versions.forEach((version, index) => {
    errors.push(...label1035Errors(textAt(version, 'name'), `spec.versions[${index}].name`));
    const schema = objectAt(version, 'schema')?.openAPIV3Schema;
    const place = placeOf(spec, index, 'schema', 'spec.validation');
    if (schema === undefined) errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`));
    else if (index === 0 || place !== 'spec.validation')
      errors.push(...definitionSchemaErrors(schema as SchemaNode, `${place}.openAPIV3Schema`));
    const columns = placeOf(spec, index, 'additionalPrinterColumns', 'spec.additionalPrinterColumns');
    if (index === 0 || !columns.startsWith('spec.additional')) errors.push(...columnErrors(version, columns));
    const subresources = placeOf(spec, index, 'subresources', 'spec.subresources');
    if (index === 0 || !subresources.startsWith('spec.sub'))
      errors.push(...scaleErrors(version, subresources));
  });
  if (new Set(names).size !== names.length)
    errors.push(invalid('spec.versions', shown, 'must contain unique version names'));
  if (versions.filter((version) => version.storage === true).length !== 1)
    errors.push(invalid('spec.versions', shown, 'must have exactly one version marked as storage version'));
  return errors;
}

const approval = 'api-approved.kubernetes.io';

/** Errors of a CustomResourceDefinition after defaulting; with `old`, errors of the change too. */
export function definitionErrors(object: JsonObject, old?: unknown): FieldError[] {
  const spec = objectAt(object, 'spec') ?? {};
  const names = objectAt(spec, 'names') ?? {};
  const metadata = objectAt(object, 'metadata') ?? {};
  const group = textAt(spec, 'group');
  const errors: FieldError[] = [];
  if (textAt(metadata, 'name') !== `${textAt(names, 'plural')}.${group}`)
    errors.push(
      invalid('metadata.name', textAt(metadata, 'name'), 'must be spec.names.plural+"."+spec.group'),
    );
  if (group === '') errors.push(required('spec.group'));
  else {
    errors.push(...subdomainProblems(group).map((problem) => invalid('spec.group', group, problem)));
    if (!group.includes('.'))
      errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  }
  if (/(^|\.)(k8s|kubernetes)\.io$/.test(group) && textAt(objectAt(metadata, 'annotations'), approval) === '')
    errors.push(
      required(
        `metadata.annotations[${approval}]`,
        `protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`,
      ),
    );
  const scope = textAt(spec, 'scope');
  if (scope === '') errors.push(required('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  if (spec.preserveUnknownFields === true)
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  const strategy = textAt(objectAt(spec, 'conversion'), 'strategy');
  if (strategy === 'Webhook')
    errors.push(
      forbidden('spec.conversion.strategy', 'this server does not call conversion webhooks: use None'),
    );
  else if (strategy !== '' && strategy !== 'None')
    errors.push(notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook']));
  errors.push(...versionErrors(spec), ...nameErrors(names));
  const before = objectAt(old, 'spec');
  if (before !== undefined) {
    for (const field of ['group', 'scope'])
      if (before[field] !== spec[field])
        errors.push(invalid(`spec.${field}`, spec[field], 'field is immutable'));
    for (const field of ['kind', 'plural'])
      if (textAt(objectAt(before, 'names'), field) !== textAt(names, field))
        errors.push(invalid(`spec.names.${field}`, textAt(names, field), 'field is immutable'));
  }
  return errors;
}

/** From a CustomResourceDefinition to the kinds it defines, one per served version. */
import type { SchemaNode } from '../../crds/structural/schema-node.ts';
import { allVerbs, type Column, type Kind, type ScalePaths } from './kind.ts';
import { type AnyObject, isJson, type Json, jsonAt, listAt, numberAt, textAt } from './object.ts';
import { goText } from './patch/patch-fault.ts';
import { valueAtPath } from './scale.ts';
import { customSchema } from './schema-bridge.ts';
import { type FieldFault, fault } from './status-error.ts';

function scaleOf(version: Json): ScalePaths | undefined {
  const scale = jsonAt(version, 'subresources').scale;
  if (!isJson(scale)) return undefined;
  const label = textAt(scale, 'labelSelectorPath');
  return {
    specReplicasPath: textAt(scale, 'specReplicasPath'),
    statusReplicasPath: textAt(scale, 'statusReplicasPath'),
    ...(label === '' ? {} : { labelSelectorPath: label }),
  };
}

function columnsOf(version: Json): Column[] {
  return listAt(version, 'additionalPrinterColumns').map((column): Column => {
    const priority = numberAt(column, 'priority');
    return {
      name: textAt(column, 'name'),
      type: textAt(column, 'type'),
      path: textAt(column, 'jsonPath'),
      ...(textAt(column, 'format') === '' ? {} : { format: textAt(column, 'format') }),
      ...(textAt(column, 'description') === '' ? {} : { description: textAt(column, 'description') }),
      ...(priority === undefined ? {} : { priority }),
    };
  });
}

const texts = (list: unknown[]): string[] => list.map(String);
const ageColumn: Column = { name: 'Age', type: 'date', path: '.metadata.creationTimestamp' };

const maxReplicas = 2_147_483_647;
const goTypes: Record<string, string> = { string: 'string', boolean: 'bool', number: 'float64' };

/** Faults of a count that /scale reads, in the words of the accessor that reads it. */
function countFaults(object: AnyObject, path: string): FieldFault[] {
  const value = valueAtPath(object, path);
  if (value === undefined || value === null) return [];
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    const type =
      goTypes[typeof value] ?? (Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}');
    return [
      fault.invalid(
        path,
        0,
        `${path} accessor error: ${goText(value)} is of the type ${type}, expected int64`,
      ),
    ];
  }
  if (value < 0) return [fault.invalid(path, value, 'should be a non-negative integer')];
  return value > maxReplicas
    ? [fault.invalid(path, value, `should be less than or equal to ${maxReplicas}`)]
    : [];
}

/** The replicas that a scale subresource reads, checked where they are written. */
function scaleFaults(object: AnyObject, scale: ScalePaths, subresource: string | undefined): FieldFault[] {
  return countFaults(object, subresource === 'status' ? scale.statusReplicasPath : scale.specReplicasPath);
}

/** The kinds of a CRD, storage version's objects shown in each. */
export function customKinds(crd: AnyObject): Kind[] {
  const names = jsonAt(crd.spec, 'names');
  const group = textAt(crd.spec, 'group');
  const versions = listAt(crd.spec, 'versions').filter(isJson);
  const storageVersion = `${group}/${textAt(
    versions.find((version) => version.storage === true),
    'name',
  )}`;
  return versions
    .filter((version) => version.served === true)
    .map((version): Kind => {
      const name = textAt(version, 'name');
      const apiVersion = `${group}/${name}`;
      const schema = customSchema(jsonAt(version, 'schema').openAPIV3Schema as SchemaNode | undefined);
      const scale = scaleOf(version);
      const columns = columnsOf(version);
      const kind = textAt(names, 'kind');
      const hasStatus = isJson(jsonAt(version, 'subresources').status);
      return {
        group,
        version: name,
        plural: textAt(names, 'plural'),
        kind,
        singular: textAt(names, 'singular') || kind.toLowerCase(),
        listKind: textAt(names, 'listKind') || `${kind}List`,
        shortNames: texts(listAt(names, 'shortNames')),
        categories: texts(listAt(names, 'categories')),
        namespaced: textAt(crd.spec, 'scope') === 'Namespaced',
        verbs: ['delete', 'deletecollection', ...allVerbs.filter((verb) => !verb.startsWith('delete'))],
        collection: crd.metadata.name ?? '',
        hasStatus,
        ...(scale === undefined ? {} : { scale }),
        subresources: {},
        custom: true,
        ...(version.deprecated === true
          ? { deprecation: textAt(version, 'deprecationWarning') || `${apiVersion} ${kind} is deprecated` }
          : {}),
        strategy: {
          generation: 'all',
          unconditionalUpdate: false,
          validate: (object, _, context) =>
            scale === undefined ? [] : scaleFaults(object, scale, context.subresource),
        },
        fieldSelectors: [
          'metadata.name',
          'metadata.namespace',
          ...listAt(version, 'selectableFields').map((field) => textAt(field, 'jsonPath').replace(/^\./, '')),
        ],
        columns: columns.length === 0 ? [ageColumn] : columns,
        schema,
        fromStored: (stored) => ({ ...schema.applyDefaults(schema.prune(stored)), apiVersion }),
        toStored: (object) =>
          object.apiVersion === storageVersion ? object : { ...object, apiVersion: storageVersion },
      };
    });
}

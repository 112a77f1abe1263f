/** Rules of metadata that hold for every kind. */
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ObjectMeta } from '../../kube/objects.ts';
import type { Kind } from './kind.ts';
import { type FieldFault, fault } from './status-error.ts';

const label1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedNamePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const label1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const qualifiedText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

/** A name from a prefix: five letters that spell no word, as Kubernetes draws them. */
export function generatedName(prefix: string): string {
  let suffix = '';
  for (let index = 0; index < 5; index++) suffix += suffixLetters[randomInt(suffixLetters.length)];
  return prefix.slice(0, 58) + suffix;
}

function nameProblem(name: string, rule: string): string | undefined {
  if (rule === 'path') {
    if (name === '.' || name === '..') return `may not be '${name}'`;
    const bad = ['/', '%'].find((char) => name.includes(char));
    return bad === undefined ? undefined : `may not contain '${bad}'`;
  }
  if (rule === 'label-1035') {
    if (name.length > 63) return 'must be no more than 63 characters';
    return label1035.test(name) ? undefined : label1035Text;
  }
  if (rule === 'label') {
    if (name.includes('.')) return 'must not contain dots';
    if (name.length > 63) return 'must be no more than 63 characters';
    return label1123.test(name) ? undefined : labelText;
  }
  if (name.length > 253) return 'must be no more than 253 characters';
  return subdomain1123.test(name) ? undefined : subdomainText;
}

/** Why text is not a qualified name such as `example.com/key`; undefined when it is one. */
function qualifiedNameProblem(text: string): string | undefined {
  const parts = text.split('/');
  if (parts.length > 2)
    return `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  const [prefix, name] = parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : [undefined, parts[0] ?? ''];
  if (prefix !== undefined) {
    if (prefix === '') return 'prefix part must be non-empty';
    if (!subdomain1123.test(prefix)) return `prefix part ${subdomainText}`;
  }
  if (name === '') return 'name part must be non-empty';
  if (name.length > 63) return 'name part must be no more than 63 characters';
  return qualifiedNamePart.test(name) ? undefined : qualifiedText;
}

/** Checks labels wherever they stand. */
function labelFaults(labels: Record<string, unknown> | undefined, field: string): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    const problem = qualifiedNameProblem(key)?.replace(/^a qualified name/, 'a valid label key');
    if (problem !== undefined) faults.push(fault.invalid(field, key, problem));
    const text = String(value);
    if (text.length > 63) faults.push(fault.invalid(field, text, 'must be no more than 63 bytes'));
    else if (!labelValue.test(text)) faults.push(fault.invalid(field, text, labelValueText));
  }
  return faults;
}

const annotationLimitBytes = 256 * 1024;

/** Faults of metadata that do not depend on an earlier object. */
export function metadataFaults(meta: ObjectMeta, kind: Kind): FieldFault[] {
  const faults: FieldFault[] = [];
  const name = meta.name ?? '';
  if (name === '') faults.push(fault.required('metadata.name', 'name or generateName is required'));
  else {
    const problem = nameProblem(name, kind.strategy.nameRule ?? 'subdomain');
    if (problem !== undefined) faults.push(fault.invalid('metadata.name', name, problem));
  }
  faults.push(...labelFaults(meta.labels, 'metadata.labels'));
  let annotationBytes = 0;
  for (const [key, value] of Object.entries(meta.annotations ?? {})) {
    const problem = qualifiedNameProblem(key.toLowerCase());
    if (problem !== undefined) faults.push(fault.invalid('metadata.annotations', key, problem));
    annotationBytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (annotationBytes > annotationLimitBytes)
    faults.push(fault.tooLong('metadata.annotations', annotationLimitBytes));
  for (const [index, finalizer] of (meta.finalizers ?? []).entries()) {
    const problem = qualifiedNameProblem(finalizer);
    if (problem !== undefined)
      faults.push(fault.invalid(`metadata.finalizers[${index}]`, finalizer, problem));
    else if (
      !finalizer.includes('/') &&
      !['orphan', 'foregroundDeletion', 'kubernetes'].includes(finalizer) &&
      !kind.custom
    )
      faults.push(
        fault.invalid(
          `metadata.finalizers[${index}]`,
          finalizer,
          'name is neither a standard finalizer name nor is it fully qualified',
        ),
      );
  }
  let controllers = 0;
  for (const owner of meta.ownerReferences ?? []) {
    const field = 'metadata.ownerReferences';
    if ((owner.apiVersion ?? '') === '')
      faults.push(fault.invalid(`${field}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    if ((owner.kind ?? '') === '') faults.push(fault.invalid(`${field}.kind`, '', 'must not be empty'));
    if ((owner.name ?? '') === '') faults.push(fault.invalid(`${field}.name`, '', 'must not be empty'));
    if ((owner.uid ?? '') === '') faults.push(fault.invalid(`${field}.uid`, '', 'must not be empty'));
    if (owner.controller === true && ++controllers === 2) {
      const first = meta.ownerReferences?.find((other) => other.controller === true);
      faults.push(
        fault.invalid(
          'metadata.ownerReferences',
          meta.ownerReferences,
          `Only one reference can have Controller set to true. Found "true" in references for ${first?.kind}/${first?.name} and ${owner.kind}/${owner.name}`,
        ),
      );
    }
  }
  return faults;
}

/** Fields that the server alone writes: an update that leaves them out keeps them. */
export function keepServerFields(draft: ObjectMeta, old: ObjectMeta): void {
  for (const field of [
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'generateName',
  ] as const) {
    const value = old[field];
    if (field === 'uid' && draft.uid !== undefined) continue;
    if (field === 'generateName' && draft.generateName !== undefined) continue;
    if (value === undefined) delete draft[field];
    else Object.assign(draft, { [field]: value });
  }
}

const immutable = (field: string, value: unknown) => fault.invalid(field, value, 'field is immutable');

/** Faults of a change of metadata. */
export function metadataUpdateFaults(meta: ObjectMeta, old: ObjectMeta): FieldFault[] {
  const faults: FieldFault[] = [];
  if (meta.name !== old.name) faults.push(immutable('metadata.name', meta.name));
  if (meta.namespace !== old.namespace) faults.push(immutable('metadata.namespace', meta.namespace));
  if (meta.uid !== old.uid) faults.push(immutable('metadata.uid', meta.uid));
  if (old.deletionTimestamp !== undefined && !isDeepStrictEqual(meta.finalizers, old.finalizers)) {
    const added = (meta.finalizers ?? []).filter((finalizer) => !(old.finalizers ?? []).includes(finalizer));
    if (added.length > 0)
      faults.push(
        fault.forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(', ')}}`,
        ),
      );
  }
  return faults;
}

/** Drops empty lists and maps and nulls, which the real server's encoding leaves out. */
export function tidyMetadata(meta: ObjectMeta): void {
  for (const [field, value] of Object.entries(meta)) {
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (value === null || value === '' || isEmpty) Reflect.deleteProperty(meta, field);
  }
}

/** Files of configMap, secret, downwardAPI and projected volumes. Pure. */
import type { ConfigMap, Volume } from '../../kube/objects.ts';
import type { Secret } from '../controllers/kinds.ts';
import { isSafePath, type VolumeFile, type VolumeFiles } from './atomic-folder.ts';
import { type DownwardSources, fieldValue, resourceValue } from './downward.ts';

export interface FileSources extends DownwardSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** What a serviceAccountToken file holds. */
  readonly token: string;
}

/** The volume cannot be made as things stand: an event FailedMount, and another try later. */
export class VolumeError extends Error {}

interface KeyToPath {
  key: string;
  path: string;
  mode?: number;
}

type Files = Map<string, VolumeFile>;

function keyed(
  what: string,
  all: ReadonlyMap<string, Buffer>,
  items: readonly KeyToPath[] | undefined,
  optional: boolean,
  mode: number,
): Files {
  const files: Files = new Map();
  if (items === undefined) for (const [key, data] of all) files.set(key, { data, mode });
  for (const item of items ?? []) {
    if (!isSafePath(item.path)) throw new VolumeError(`${what}: invalid path "${item.path}"`);
    const data = all.get(item.key);
    if (data !== undefined) files.set(item.path, { data, mode: item.mode ?? mode });
    else if (!optional) throw new VolumeError(`${what}: references non-existent config key: ${item.key}`);
  }
  return files;
}

function configMapFiles(
  from: { name: string; optional?: boolean; items?: KeyToPath[] },
  mode: number,
  sources: FileSources,
): Files {
  const map = sources.configMap(from.name);
  if (map === undefined && from.optional !== true)
    throw new VolumeError(`configmap "${from.name}" not found`);
  const all = new Map<string, Buffer>();
  for (const [key, text] of Object.entries(map?.data ?? {})) all.set(key, Buffer.from(text));
  for (const [key, text] of Object.entries(map?.binaryData ?? {})) all.set(key, Buffer.from(text, 'base64'));
  return keyed(`configmap "${from.name}"`, all, from.items, from.optional === true, mode);
}

function secretFiles(
  from: { name: string; optional?: boolean; items?: KeyToPath[] },
  mode: number,
  sources: FileSources,
): Files {
  const secret = sources.secret(from.name);
  if (secret === undefined && from.optional !== true)
    throw new VolumeError(`secret "${from.name}" not found`);
  const all = new Map<string, Buffer>();
  for (const [key, text] of Object.entries(secret?.data ?? {})) all.set(key, Buffer.from(text, 'base64'));
  return keyed(`secret "${from.name}"`, all, from.items, from.optional === true, mode);
}

function downwardFiles(
  items: NonNullable<Volume['downwardAPI']>['items'],
  mode: number,
  sources: FileSources,
): Files {
  const files: Files = new Map();
  for (const { path, fieldRef, resourceFieldRef } of items ?? []) {
    if (!isSafePath(path)) throw new VolumeError(`downwardAPI: invalid path "${path}"`);
    const text =
      fieldRef !== undefined
        ? fieldValue(fieldRef.fieldPath, sources)
        : resourceFieldRef !== undefined
          ? resourceValue(resourceFieldRef, undefined, sources)
          : undefined;
    if (text === undefined)
      throw new VolumeError(
        `downwardAPI: unsupported ${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? 'item'} for ${path}`,
      );
    files.set(path, { data: Buffer.from(text), mode });
  }
  return files;
}

type Source = {
  configMap?: { name: string; optional?: boolean; items?: KeyToPath[] };
  secret?: { name: string; optional?: boolean; items?: KeyToPath[] };
  downwardAPI?: Volume['downwardAPI'];
  serviceAccountToken?: { path: string };
};

function projectedFiles(volume: NonNullable<Volume['projected']>, sources: FileSources): Files {
  const mode = volume.defaultMode ?? 0o644;
  const files: Files = new Map();
  const take = (more: Files) => {
    for (const [path, file] of more) files.set(path, file);
  };
  for (const source of volume.sources as Source[]) {
    if (source.configMap !== undefined) take(configMapFiles(source.configMap, mode, sources));
    else if (source.secret !== undefined) take(secretFiles(source.secret, mode, sources));
    else if (source.downwardAPI !== undefined) take(downwardFiles(source.downwardAPI.items, mode, sources));
    else if (source.serviceAccountToken !== undefined)
      files.set(source.serviceAccountToken.path, { data: Buffer.from(sources.token), mode: 0o600 });
    else throw new VolumeError(`projected source ${Object.keys(source).join()} is not supported`);
  }
  return files;
}

/** Files of a volume whose content comes from the API; undefined for one that is a plain folder. */
export function volumeFiles(volume: Volume, sources: FileSources): VolumeFiles | undefined {
  if (volume.configMap !== undefined)
    return configMapFiles(volume.configMap, volume.configMap.defaultMode ?? 0o644, sources);
  if (volume.secret !== undefined) {
    const { secretName, ...rest } = volume.secret;
    return secretFiles({ name: secretName, ...rest }, volume.secret.defaultMode ?? 0o644, sources);
  }
  if (volume.downwardAPI !== undefined) return downwardFiles(volume.downwardAPI.items, 0o644, sources);
  if (volume.projected !== undefined) return projectedFiles(volume.projected, sources);
  return undefined;
}

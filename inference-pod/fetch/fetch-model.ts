/** Brings the model of a URI to `model.onnx`, or to `files/` when it has several, whole and verified or not at all. */
import { mkdir, open, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelManifest } from '../../crds/wire.ts';
import { notAModel } from '../inspect/file-kind.ts';
import { inspectModel } from '../inspect/inspect-model.ts';
import { ModelError } from '../inspect/model-error.ts';
import type { Logger } from '../log/logger.ts';
import { createAddressPolicy } from './address-policy.ts';
import { download } from './download.ts';
import { containedPath, copyLocal } from './local-file.ts';
import { entryFile, readManifest, verifyFiles } from './manifest.ts';
import { copyDataFiles, entryOfDirectory, filesDir, isDirectory, unpackModel } from './model-files.ts';
import { PartFile } from './part-file.ts';
import { type ProxySettings, proxyFor } from './proxy.ts';
import { isTar } from './tar.ts';
import { type ModelSource, parseModelUri } from './uri.ts';

export interface FetchOptions {
  readonly uri: string;
  /** Digest that the user promised. */
  readonly sha256: string | undefined;
  /** Digest that the first pod of the revision fetched. */
  readonly recordedSha256: string | undefined;
  readonly modelDir: string;
  readonly claimDir: string;
  readonly fileRoots: readonly string[];
  /** Most bytes of all files of the model. */
  readonly maxBytes: number;
  readonly allowCidrs: readonly string[];
  readonly attempts: number;
  readonly backOffMs: number;
  readonly stallMs: number;
  /** Certificate authorities beside the public ones, PEM. */
  readonly ca?: string;
  /** Default: every server is asked directly. */
  readonly proxy?: ProxySettings;
  readonly log: Logger;
}

const progressEveryMs = 5_000;

/** Most bytes of a model in one file: what protobuf can carry. */
const maxSingleFileBytes = 2 ** 31;

/** Fetches, or finds that an earlier run of the same pod did; throws a ModelError with the reason. */
export const fetchModel = async (options: FetchOptions): Promise<ModelManifest> => {
  const { uri, modelDir, log } = options;
  const source = parseModelUri(uri, options.allowCidrs.length > 0);
  await mkdir(modelDir, { recursive: true });
  const reused = await reusable(options);
  if (reused !== undefined) {
    log.info('the model is here already', { sha256: reused.sha256, bytes: reused.bytes });
    return reused;
  }
  const part = await PartFile.open(join(modelDir, 'model.onnx.part'), uri);
  const startedAt = performance.now();
  let copiedFrom: string | undefined;
  try {
    copiedFrom = await transfer(source, part, options);
  } catch (error) {
    // A passing failure leaves the bytes for the next run of this container.
    if (error instanceof ModelError && error.reason === 'FetchFailed') await part.leave();
    else await part.discard();
    throw error;
  }
  let manifest: ModelManifest;
  try {
    manifest = await complete(part, copiedFrom, options);
  } catch (error) {
    await part.discard().catch(() => undefined);
    await rm(join(modelDir, filesDir), { recursive: true, force: true });
    throw isDiskFull(error) ? new ModelError('ModelTooLarge', 'the disk is full') : error;
  }
  await place(modelDir, manifest);
  log.info('fetched', {
    bytes: manifest.bytes,
    sha256: manifest.sha256,
    files: manifest.files?.length ?? 1,
    durationMs: Math.round(performance.now() - startedAt),
  });
  return manifest;
};

const isDiskFull = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC';

const reserveOn =
  (directory: string) =>
  async (bytes: number): Promise<void> => {
    const { bavail, bsize } = await statfs(directory);
    if (bytes > bavail * bsize)
      throw new ModelError(
        'ModelTooLarge',
        `the model needs ${bytes} bytes of disk, ${bavail * bsize} are free`,
      );
  };

/** From the file that was transferred to a model in its place, checked in the order that tells most. */
const complete = async (
  part: PartFile,
  copiedFrom: string | undefined,
  options: FetchOptions,
): Promise<ModelManifest> => {
  const { uri, modelDir, maxBytes } = options;
  const sha256 = part.digest();
  const limits = { maxBytes, reserve: reserveOn(modelDir) };
  const head = await headOf(part.path);
  if (isTar(head)) {
    checkDigest(sha256, options);
    await part.finish();
    return { uri, sha256, ...(await unpackModel(part.path, modelDir, limits)) };
  }
  const other = notAModel(head);
  if (other !== undefined) throw new ModelError('ModelInvalid', other);
  const copied =
    copiedFrom === undefined
      ? undefined
      : await copyDataFiles({ part, source: copiedFrom, modelDir }, { ...limits, progress: () => undefined });
  if (copied !== undefined) {
    checkDigest(copied.sha256, options);
    await part.finish();
    return { uri, ...copied };
  }
  checkDigest(sha256, options);
  inspectModel(part.path);
  await part.finish();
  await rename(part.path, join(modelDir, entryFile));
  return { uri, sha256, bytes: part.bytes };
};

/** Fills the part file; returns the path of the file that was copied, for what lies beside it. */
const transfer = async (
  source: ModelSource,
  part: PartFile,
  options: FetchOptions,
): Promise<string | undefined> => {
  const { log } = options;
  let lastMs = performance.now();
  const progress = (bytes: number, totalBytes: number | undefined) => {
    const now = performance.now();
    if (now - lastMs < progressEveryMs) return;
    lastMs = now;
    log.info('fetching', { bytes, totalBytes });
  };
  const reserve = reserveOn(options.modelDir);
  // Only an archive can be larger than one ONNX file, and only its name tells before it is here.
  const maxBytesOf = (path: string) =>
    path.toLowerCase().endsWith('.tar') ? options.maxBytes : Math.min(options.maxBytes, maxSingleFileBytes);
  if (source.kind === 'http') {
    const proxy = proxyFor(source.url, options.proxy ?? {});
    log.info('fetching', { host: source.url.host, proxy: proxy?.host });
    await download(source.url, part, {
      maxBytes: maxBytesOf(source.url.pathname),
      reserve,
      progress,
      policy: createAddressPolicy(options.allowCidrs),
      allowHttp: options.allowCidrs.length > 0,
      attempts: options.attempts,
      backOffMs: options.backOffMs,
      stallMs: options.stallMs,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
      retrying: (attempt, pauseMs, why) => log.warn('fetching again', { attempt, pauseMs, why }),
    });
    return undefined;
  }
  const roots = source.kind === 'claim' ? [options.claimDir] : options.fileRoots;
  const named = await containedPath(source.path, roots);
  const path = (await isDirectory(named))
    ? await containedPath(await entryOfDirectory(named), [named])
    : named;
  await copyLocal(path, part, { maxBytes: maxBytesOf(path), reserve, progress });
  return path;
};

const headOf = async (path: string): Promise<Buffer> => {
  const handle = await open(path, 'r');
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
};

const checkDigest = (sha256: string, options: FetchOptions) => {
  if (options.sha256 !== undefined && sha256 !== options.sha256)
    throw new ModelError(
      'DigestMismatch',
      `the file has the sha256 ${sha256}, spec.model.sha256 says ${options.sha256}`,
    );
  if (options.recordedSha256 !== undefined && sha256 !== options.recordedSha256)
    throw new ModelError(
      'DigestMoved',
      `the file behind the URI changed: its sha256 is ${sha256}, the revision's first pod fetched ${options.recordedSha256}`,
    );
};

/** The manifest of an earlier run when its files are whole and still the right ones. */
const reusable = async (options: FetchOptions): Promise<ModelManifest | undefined> => {
  const manifest = readManifest(options.modelDir);
  if (manifest === undefined || manifest.uri !== options.uri) return undefined;
  const wanted = options.sha256 ?? options.recordedSha256;
  if (wanted !== undefined && wanted !== manifest.sha256) return undefined;
  try {
    await verifyFiles(options.modelDir, manifest);
    return manifest;
  } catch {
    return undefined;
  }
};

/** Writes the manifest last: it never speaks of a file that is not there. */
const place = async (dir: string, manifest: ModelManifest): Promise<void> => {
  const temporary = join(dir, 'manifest.json.part');
  await writeFile(temporary, JSON.stringify(manifest), { flush: true });
  await rename(temporary, join(dir, 'manifest.json'));
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

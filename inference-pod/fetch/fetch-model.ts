/** Brings the model of a URI to `model.onnx`, whole and verified or not at all. */
import { mkdir, open, readFile, rename, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FetchManifest } from '../../crds/wire.ts';
import { notAModel } from '../inspect/file-kind.ts';
import { inspectModel } from '../inspect/inspect-model.ts';
import { ModelError } from '../inspect/model-error.ts';
import type { Logger } from '../log/logger.ts';
import { createAddressPolicy } from './address-policy.ts';
import { sha256OfFile } from './digest.ts';
import { download } from './download.ts';
import { containedPath, copyLocal } from './local-file.ts';
import { PartFile } from './part-file.ts';
import { type ProxySettings, proxyFor } from './proxy.ts';
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

/** Fetches, or finds that an earlier run of the same pod did; throws a ModelError with the reason. */
export const fetchModel = async (options: FetchOptions): Promise<FetchManifest> => {
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
  try {
    await transfer(source, part, options);
  } catch (error) {
    // A passing failure leaves the bytes for the next run of this container.
    if (error instanceof ModelError && error.reason === 'FetchFailed') await part.leave();
    else await part.discard();
    throw error;
  }
  const sha256 = part.digest();
  const manifest: FetchManifest = { sha256, bytes: part.bytes, uri };
  try {
    await verify(part.path, sha256, options);
  } catch (error) {
    await part.discard();
    throw error;
  }
  await part.finish();
  await place(modelDir, part.path, manifest);
  log.info('fetched', {
    bytes: manifest.bytes,
    sha256,
    durationMs: Math.round(performance.now() - startedAt),
  });
  return manifest;
};

const transfer = async (source: ModelSource, part: PartFile, options: FetchOptions): Promise<void> => {
  const { log } = options;
  let lastMs = performance.now();
  const progress = (bytes: number, totalBytes: number | undefined) => {
    const now = performance.now();
    if (now - lastMs < progressEveryMs) return;
    lastMs = now;
    log.info('fetching', { bytes, totalBytes });
  };
  const reserve = async (bytes: number) => {
    const { bavail, bsize } = await statfs(options.modelDir);
    if (bytes > bavail * bsize)
      throw new ModelError(
        'ModelTooLarge',
        `the model needs ${bytes} bytes of disk, ${bavail * bsize} are free`,
      );
  };
  const limits = { maxBytes: options.maxBytes, reserve, progress };
  if (source.kind === 'http') {
    const proxy = proxyFor(source.url, options.proxy ?? {});
    log.info('fetching', { host: source.url.host, proxy: proxy?.host });
    await download(source.url, part, {
      ...limits,
      policy: createAddressPolicy(options.allowCidrs),
      allowHttp: options.allowCidrs.length > 0,
      attempts: options.attempts,
      backOffMs: options.backOffMs,
      stallMs: options.stallMs,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
      retrying: (attempt, pauseMs, why) => log.warn('fetching again', { attempt, pauseMs, why }),
    });
    return;
  }
  const roots = source.kind === 'claim' ? [options.claimDir] : options.fileRoots;
  await copyLocal(await containedPath(source.path, roots), part, limits);
};

/** What is wrong with the file, the most telling reason first: a login page is not called a digest mismatch. */
const verify = async (path: string, sha256: string, options: FetchOptions): Promise<void> => {
  const handle = await open(path, 'r');
  const head = Buffer.alloc(512);
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  await handle.close();
  const other = notAModel(head.subarray(0, bytesRead));
  if (other !== undefined) throw new ModelError('ModelInvalid', other);
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
  inspectModel(path);
};

/** The manifest of an earlier run when its file is whole and still the right one. */
const reusable = async (options: FetchOptions): Promise<FetchManifest | undefined> => {
  let manifest: FetchManifest;
  try {
    manifest = JSON.parse(await readFile(join(options.modelDir, 'manifest.json'), 'utf8')) as FetchManifest;
  } catch {
    return undefined;
  }
  if (manifest.uri !== options.uri) return undefined;
  const wanted = options.sha256 ?? options.recordedSha256;
  if (wanted !== undefined && wanted !== manifest.sha256) return undefined;
  try {
    return (await sha256OfFile(join(options.modelDir, 'model.onnx'))) === manifest.sha256
      ? manifest
      : undefined;
  } catch {
    return undefined;
  }
};

/** Renames into place, model first: a manifest never speaks of a file that is not there. */
const place = async (dir: string, partPath: string, manifest: FetchManifest): Promise<void> => {
  await rename(partPath, join(dir, 'model.onnx'));
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

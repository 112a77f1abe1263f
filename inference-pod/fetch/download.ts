/** Downloads over HTTP(S) with retries; a broken transfer is resumed when the server can say that the file is the same. */
import { messageOf } from '../../protocol/errors.ts';
import { ModelError } from '../inspect/model-error.ts';
import type { Answer } from './answer.ts';
import { type GetOptions, guardedGet } from './http-client.ts';
import { RetryableError } from './http-failures.ts';
import type { PartFile } from './part-file.ts';

export interface DownloadOptions extends Omit<GetOptions, 'headers'> {
  readonly maxBytes: number;
  /** Attempts in a row that bring nothing new. */
  readonly attempts: number;
  /** Pause after the first failure; it doubles with each further one. */
  readonly backOffMs: number;
  /** Called with what is there and the whole, when known. */
  progress(bytes: number, totalBytes: number | undefined): void;
  retrying(attempt: number, pauseMs: number, why: string): void;
  /** Throws when so many further bytes do not fit on the disk. */
  reserve(bytes: number): Promise<void>;
}

const longestPauseMs = 15_000;

/** Fills the part file from the URL; throws a ModelError when it cannot be had. */
export const download = async (url: URL, part: PartFile, options: DownloadOptions): Promise<void> => {
  for (let failures = 0; ; ) {
    const before = part.bytes;
    try {
      await attempt(url, part, options);
      return;
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      failures = part.bytes > before ? 1 : failures + 1;
      if (failures >= options.attempts)
        throw new ModelError('FetchFailed', `${error.message} (${failures} attempts without progress)`);
      const doubled = Math.min(longestPauseMs, options.backOffMs * 2 ** (failures - 1));
      const pauseMs = Math.round(
        Math.max(doubled * (0.75 + Math.random() / 2), Math.min(error.retryAfterMs ?? 0, 60_000)),
      );
      options.retrying(failures, pauseMs, error.message);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
};

const attempt = async (url: URL, part: PartFile, options: DownloadOptions): Promise<void> => {
  const canResume = part.bytes > 0 && part.validator !== undefined;
  if (!canResume && part.bytes > 0) await part.restart();
  const headers: Record<string, string> =
    canResume && part.validator !== undefined
      ? { range: `bytes=${part.bytes}-`, 'if-range': part.validator }
      : {};
  const response = await guardedGet(url, { ...options, headers });
  try {
    await accept(url, response, part);
    await receive(url, response, part, options);
  } finally {
    response.destroy();
  }
};

/** Judges status and headers; throws what the answer means. */
const accept = async (url: URL, response: Answer, part: PartFile): Promise<void> => {
  const status = response.statusCode ?? 0;
  if (status === 404 || status === 410)
    throw new ModelError('ModelNotFound', `${url.host} has no such file: it answered ${status}`);
  if (status === 401 || status === 403 || status === 407 || status === 451)
    throw new ModelError('ModelForbidden', `${url.host} refuses the file: it answered ${status}`);
  if (status === 416) {
    await part.restart();
    throw new RetryableError(`${url.host} cannot go on where the transfer broke`);
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    throw new RetryableError(`${url.host} answered ${status}`, retryAfterMs(response));
  if (status !== 200 && status !== 206)
    throw new ModelError('ModelForbidden', `${url.host} answered ${status}, wanted 200`);
  if (/^\s*(text\/html|application\/xhtml)/i.test(response.headers['content-type'] ?? ''))
    throw new ModelError(
      'ModelInvalid',
      `${url.host} answered with an HTML page instead of a file: use the link to the raw file`,
    );
  if (status === 206) {
    const range = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '');
    if (range === null || Number(range[1]) !== part.bytes) {
      await part.restart();
      throw new RetryableError(`${url.host} sent another range than was asked for`);
    }
    return;
  }
  if (part.bytes > 0) await part.restart();
  const etag = response.headers.etag;
  const strong = etag !== undefined && !etag.startsWith('W/') ? etag : undefined;
  await part.remember(strong ?? response.headers['last-modified']);
};

const retryAfterMs = (response: Answer): number | undefined => {
  const text = response.headers['retry-after'];
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) * 1000 : undefined;
};

const receive = async (url: URL, response: Answer, part: PartFile, options: DownloadOptions) => {
  const length = response.headers['content-length'];
  const totalBytes = length === undefined ? undefined : part.bytes + Number(length);
  const tooLarge = (bytes: number) =>
    new ModelError('ModelTooLarge', `the model has ${bytes} bytes or more, the limit is ${options.maxBytes}`);
  if (totalBytes !== undefined && totalBytes > options.maxBytes) throw tooLarge(totalBytes);
  if (totalBytes !== undefined) await options.reserve(totalBytes - part.bytes);
  try {
    for await (const chunk of response) {
      if (part.bytes + chunk.length > options.maxBytes) throw tooLarge(part.bytes + chunk.length);
      await part.append(chunk);
      options.progress(part.bytes, totalBytes);
    }
  } catch (error) {
    if (error instanceof ModelError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const message = messageOf(error);
    if (code === 'ENOSPC')
      throw new ModelError('ModelTooLarge', `the disk is full after ${part.bytes} bytes`);
    throw new RetryableError(`${url.host}: ${message} after ${part.bytes} bytes`);
  }
  if (totalBytes !== undefined && part.bytes !== totalBytes)
    throw new RetryableError(`${url.host}: cut off after ${part.bytes} of ${totalBytes} bytes`);
};

/** The file under way: bytes are appended and hashed, so that a broken download goes on where it stopped. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';

/** What is remembered beside the bytes, to tell whether the file on the server is still the same. */
interface PartRecord {
  readonly uri: string;
  readonly validator: string;
}

export class PartFile {
  readonly path: string;
  readonly #recordPath: string;
  readonly #uri: string;
  #handle: FileHandle;
  #hash: Hash = createHash('sha256');
  bytes = 0;
  /** Strong ETag or date of the file on the server, once known. */
  validator: string | undefined;

  private constructor(path: string, uri: string, handle: FileHandle) {
    this.path = path;
    this.#recordPath = `${path}.json`;
    this.#uri = uri;
    this.#handle = handle;
  }

  /** Opens the part file of a URI; what an earlier attempt left is kept when it is of the same URI. */
  static async open(path: string, uri: string): Promise<PartFile> {
    const part = new PartFile(path, uri, await open(path, 'a+', 0o644));
    const record = await readRecord(part.#recordPath);
    const { size } = await part.#handle.stat();
    if (record === undefined || record.uri !== uri || size === 0) await part.restart();
    else {
      for await (const chunk of createReadStream(path, { end: size - 1 })) part.#hash.update(chunk as Buffer);
      part.bytes = size;
      part.validator = record.validator;
    }
    return part;
  }

  /** Forgets all bytes. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.bytes = 0;
    this.validator = undefined;
    rmSync(this.#recordPath, { force: true });
  }

  /** Remembers what the server calls this version of the file. */
  async remember(validator: string | undefined): Promise<void> {
    this.validator = validator;
    if (validator === undefined) return;
    const record: PartRecord = { uri: this.#uri, validator };
    await writeFile(this.#recordPath, JSON.stringify(record));
  }

  async append(chunk: Uint8Array): Promise<void> {
    let done = 0;
    while (done < chunk.length) done += (await this.#handle.write(chunk, done)).bytesWritten;
    this.#hash.update(chunk);
    this.bytes += chunk.length;
  }

  /** Digest of what was appended so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Forces the bytes to the disk and closes the file. */
  async finish(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    rmSync(this.#recordPath, { force: true });
  }

  /** Closes the file and keeps what is there for another attempt. */
  async leave(): Promise<void> {
    await this.#handle.close();
  }

  /** Closes and deletes the file. */
  async discard(): Promise<void> {
    await this.#handle.close();
    rmSync(this.path, { force: true });
    rmSync(this.#recordPath, { force: true });
  }
}

const readRecord = async (path: string): Promise<PartRecord | undefined> => {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<PartRecord>;
    return typeof value.uri === 'string' && typeof value.validator === 'string'
      ? { uri: value.uri, validator: value.validator }
      : undefined;
  } catch {
    return undefined;
  }
};

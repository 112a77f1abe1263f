/** Reads the headers of a tar archive, within bounds: ustar, GNU long names and pax names, and of their entries only files and directories. */
import type { FileHandle } from 'node:fs/promises';
import { relativeParts } from '../inspect/external-data.ts';
import { ModelError } from '../inspect/model-error.ts';

/** A file or directory in an archive, with a name that leads nowhere else. */
export interface TarEntry {
  readonly kind: 'file' | 'directory';
  /** Relative, normalised, with `/`; empty for the archive's own directory. */
  readonly path: string;
  readonly bytes: number;
  /** Where its content begins in the archive. */
  readonly start: number;
}

const blockBytes = 512;
const mostEntries = 10_000;
const mostHeaderBytes = 65_536;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** True when the first bytes of a file are those of a tar archive. */
export const isTar = (head: Uint8Array): boolean =>
  head.length >= blockBytes && Buffer.from(head.subarray(257, 262)).toString('latin1') === 'ustar';

const refuse = (message: string): never => {
  throw new ModelError('ModelForbidden', `the archive ${message}`);
};
const broken = (message: string): never => {
  throw new ModelError('ModelInvalid', `the archive is damaged: ${message}`);
};

const text = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  try {
    return utf8.decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch {
    return refuse('holds a name that is no valid UTF-8');
  }
};

/** Octal digits, or GNU's binary form for what is larger. */
const number = (bytes: Uint8Array, what: string): number => {
  let value = 0;
  if (((bytes[0] ?? 0) & 0x80) !== 0) {
    if (bytes[0] !== 0x80) broken(`the ${what} is negative`);
    for (const byte of bytes.subarray(1)) value = value * 256 + byte;
  } else {
    const digits = Buffer.from(bytes)
      .toString('latin1')
      .replace(/^[ \0]+|[ \0].*$/gs, '');
    if (!/^[0-7]*$/.test(digits)) broken(`the ${what} is no octal number`);
    value = digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  if (!Number.isSafeInteger(value)) broken(`the ${what} is too large`);
  return value;
};

const checksumOf = (block: Uint8Array): number => {
  let sum = 0;
  for (let i = 0; i < blockBytes; i += 1) sum += i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
  return sum;
};

/** Records `LENGTH KEY=VALUE\n` of a pax header. */
const paxRecords = (bytes: Uint8Array): Map<string, string> => {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : Buffer.from(bytes.subarray(at, space)).toString('latin1');
    const length = /^[1-9]\d{0,6}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    if (length === 0 || space + 1 >= end || end > bytes.length || bytes[end - 1] !== 0x0a)
      broken('a pax header has a record of the wrong length');
    let record = '';
    try {
      record = utf8.decode(bytes.subarray(space + 1, end - 1));
    } catch {
      // Times and owners in other encodings matter to nobody; a path that is not UTF-8 is refused below by its lack.
    }
    const equals = record.indexOf('=');
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
};

const linkKinds: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '5': '',
  '6': 'a pipe',
  K: 'a link with a long target',
  S: 'a sparse file',
  D: 'a directory listing of an incremental backup',
  M: 'a file in several volumes',
  V: 'a volume label',
};

/** What earlier headers say of the next entry. */
interface Ahead {
  path?: string;
  bytes?: number;
}

const readAhead = (ahead: Ahead, records: Map<string, string>) => {
  for (const key of records.keys())
    if (key.startsWith('GNU.sparse')) refuse('holds a sparse file: pack it without --sparse');
  const path = records.get('path');
  if (path !== undefined) ahead.path = path;
  const size = records.get('size');
  if (size === undefined) return;
  if (!/^\d{1,16}$/.test(size)) broken('a pax header has a size that is no number');
  ahead.bytes = Number(size);
};

const bytesAt = async (handle: FileHandle, start: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, start + done);
    if (bytesRead === 0) broken('it is cut off');
    done += bytesRead;
  }
  return buffer;
};

const nameOf = (header: Uint8Array): string => {
  const name = text(header.subarray(0, 100));
  // Only POSIX has the prefix there; GNU keeps times in its place.
  const isPosix = header[262] === 0;
  const prefix = isPosix ? text(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
};

const pathOf = (name: string): string => {
  // What tar itself calls the directory that was packed.
  if (/^(\.\/)*\.?\/?$/.test(name) && name !== '' && name !== '/') return '';
  const parts = relativeParts(name);
  if (typeof parts === 'string')
    return refuse(`holds the name ${JSON.stringify(name.slice(0, 200))}, which ${parts}`);
  return parts.join('/');
};

/** The entries of an archive, one after the other; throws a ModelError at the first that is not a plain file or directory. */
export async function* tarEntries(handle: FileHandle): AsyncGenerator<TarEntry> {
  const { size: archiveBytes } = await handle.stat();
  let position = 0;
  let count = 0;
  let ahead: Ahead = {};
  for (;;) {
    const header = await bytesAt(handle, position, blockBytes);
    position += blockBytes;
    if (header.every((byte) => byte === 0)) return;
    if (!isTar(header)) broken(`there is no header at byte ${position - blockBytes}`);
    if (number(header.subarray(148, 156), 'checksum') !== checksumOf(header))
      broken(`the header at byte ${position - blockBytes} has the wrong checksum`);
    count += 1;
    if (count > mostEntries) refuse(`holds more than ${mostEntries} entries`);
    const type = String.fromCharCode(header[156] ?? 0);
    const isHeader = type === 'L' || type === 'x' || type === 'g';
    const bytes = (isHeader ? undefined : ahead.bytes) ?? number(header.subarray(124, 136), 'size');
    if (bytes > archiveBytes - position) broken('it is cut off');
    const next = position + Math.ceil(bytes / blockBytes) * blockBytes;
    if (isHeader) {
      if (bytes > mostHeaderBytes) refuse(`holds a header of ${bytes} bytes`);
      const content = await bytesAt(handle, position, bytes);
      if (type === 'L') ahead.path = text(content);
      else if (type === 'x') readAhead(ahead, paxRecords(content));
      else {
        const global = paxRecords(content);
        if (global.has('path') || global.has('size')) refuse('gives one name or size to all entries');
      }
      position = next;
      continue;
    }
    const name = ahead.path ?? nameOf(header);
    ahead = {};
    const isDirectory = type === '5';
    if (type !== '0' && type !== '\0' && !isDirectory)
      refuse(
        `holds ${linkKinds[type] ?? `an entry of the type ${JSON.stringify(type)}`}, ${JSON.stringify(name.slice(0, 200))}: only files and directories are taken`,
      );
    const path = pathOf(name);
    if (path === '' && !isDirectory) refuse('holds a file without a name');
    if (isDirectory && bytes > 0) broken('a directory has a content');
    yield { kind: isDirectory ? 'directory' : 'file', path, bytes, start: position };
    position = next;
  }
}

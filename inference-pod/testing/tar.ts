/** Builds tar archives block by block, the evil ones too. */

const block = 512;

export interface TarPart {
  readonly name?: string;
  /** One character; default: a regular file. */
  readonly type?: string;
  readonly content?: Uint8Array | string;
  /** What the header says instead of the content's size. */
  readonly size?: number | string;
  readonly link?: string;
  readonly mode?: number;
  readonly prefix?: string;
  /** Replaces bytes of the header before the checksum is made. */
  readonly patch?: (header: Buffer) => void;
  /** False: the checksum stays wrong. */
  readonly checksum?: boolean;
}

const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;

/** One header and its content, padded. */
export const tarPart = (part: TarPart): Buffer => {
  const content = Buffer.from(part.content ?? '');
  const header = Buffer.alloc(block);
  header.write(part.name ?? 'file', 0, 100, 'utf8');
  header.write(octal(part.mode ?? 0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  const size = part.size ?? content.length;
  header.write(typeof size === 'string' ? size : octal(size, 12), 124, 12, 'latin1');
  header.write(octal(0, 12), 136);
  header.write(part.type ?? '0', 156, 1, 'latin1');
  header.write(part.link ?? '', 157, 100, 'utf8');
  header.write('ustar\u000000', 257, 8, 'latin1');
  header.write(part.prefix ?? '', 345, 155, 'utf8');
  part.patch?.(header);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(part.checksum === false ? sum + 1 : sum, 7)} `, 148, 8, 'latin1');
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  return Buffer.concat([header, content, padding]);
};

/** A whole archive. */
export const tar = (...parts: readonly (TarPart | Buffer)[]): Buffer =>
  Buffer.concat([
    ...parts.map((part) => (Buffer.isBuffer(part) ? part : tarPart(part))),
    Buffer.alloc(2 * block),
  ]);

/** A pax header with records for the next entry, or for all (`g`). */
export const pax = (records: Readonly<Record<string, string>>, type = 'x'): Buffer => {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const bytes = Buffer.byteLength(rest);
    let length = bytes + String(bytes).length;
    if (String(length).length !== String(bytes).length) length = bytes + String(length).length;
    return `${length}${rest}`;
  });
  return tarPart({ name: 'PaxHeader', type, content: lines.join('') });
};

/** Tensors as the generators wrote them down and as the pod answers them; nothing of the pod's own code is used here. */

/** A tensor in model.json. */
export interface WrittenTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Elements, little-endian; strings are in `strings`. */
  readonly base64?: string;
  readonly strings?: readonly string[];
}

export type Elements =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly string[];

export interface Answer {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: Elements;
}

const arrays: Readonly<Record<string, (bytes: ArrayBuffer) => Elements>> = {
  BOOL: (bytes) => new Uint8Array(bytes),
  UINT8: (bytes) => new Uint8Array(bytes),
  UINT16: (bytes) => new Uint16Array(bytes),
  UINT32: (bytes) => new Uint32Array(bytes),
  UINT64: (bytes) => new BigUint64Array(bytes),
  INT8: (bytes) => new Int8Array(bytes),
  INT16: (bytes) => new Int16Array(bytes),
  INT32: (bytes) => new Int32Array(bytes),
  INT64: (bytes) => new BigInt64Array(bytes),
  FP16: (bytes) => new Uint16Array(bytes),
  FP32: (bytes) => new Float32Array(bytes),
  FP64: (bytes) => new Float64Array(bytes),
};

const sizes: Readonly<Record<string, number>> = {
  BOOL: 1,
  UINT8: 1,
  INT8: 1,
  UINT16: 2,
  INT16: 2,
  FP16: 2,
  UINT32: 4,
  INT32: 4,
  FP32: 4,
};

/** The elements of raw little-endian bytes. */
export function elementsOf(datatype: string, bytes: Uint8Array): Elements {
  const make = arrays[datatype];
  if (make === undefined) throw new Error(`no array for ${datatype}`);
  // A copy: a Buffer's slice would share memory with others.
  return make(new Uint8Array(bytes).buffer);
}

/** A written tensor with its elements. */
export function readWritten(written: WrittenTensor): Answer {
  const { name, datatype, shape, strings } = written;
  const data = strings ?? elementsOf(datatype, Buffer.from(written.base64 ?? '', 'base64'));
  return { name, datatype, shape, data };
}

/** A tensor of a JSON request; whole numbers are written in plain digits. */
export function jsonOf({ name, datatype, shape, data }: Answer): string {
  const head = `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join()}],"data":`;
  if (datatype === 'BYTES') return `${head}${JSON.stringify(data)}}`;
  if (datatype === 'BOOL') return `${head}[${Array.from(data as Uint8Array, (bit) => bit !== 0).join()}]}`;
  // -0 is printed as 0 by String.
  return `${head}[${Array.from(data as Float64Array, (value) => (Object.is(value, -0) ? '-0.0' : String(value))).join()}]}`;
}

/** The bytes of a tensor in the binary extension. */
export function binaryOf({ data }: Answer): Buffer {
  if (!Array.isArray(data)) {
    const { buffer, byteOffset, byteLength } = data as Uint8Array;
    return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  }
  return Buffer.concat(
    (data as readonly string[]).flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** The elements of a JSON answer, in which whole numbers were kept as BigInt where a double cannot hold them. */
export function fromJson(datatype: string, values: readonly unknown[]): Elements {
  if (datatype === 'BYTES') return values as readonly string[];
  if (datatype === 'INT64') return BigInt64Array.from(values as number[], (value) => BigInt(value));
  if (datatype === 'UINT64') return BigUint64Array.from(values as number[], (value) => BigInt(value));
  const raw = Float64Array.from(values as number[], Number);
  if (datatype === 'FP64') return raw;
  const make = arrays[datatype];
  if (make === undefined) throw new Error(`no array for ${datatype}`);
  const whole = make(new ArrayBuffer(raw.length * (sizes[datatype] ?? 1))) as Float32Array;
  whole.set(raw);
  return whole;
}

/** The elements of an answer in the binary extension. */
export function fromBinary(datatype: string, bytes: Buffer): Elements {
  if (datatype !== 'BYTES') return elementsOf(datatype, bytes);
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    texts.push(bytes.toString('utf8', at + 4, end));
    at = end;
  }
  return texts;
}

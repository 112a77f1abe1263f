/** Decodes `application/vnd.kubernetes.protobuf` bodies into the objects that JSON would have brought. */
import { isJson, type Json } from '../object.ts';
import { badRequest, unsupportedMediaType } from '../status-error.ts';
import { type Field, type Message, messageOf } from './messages.ts';

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw badRequest('the protobuf body is cut off or malformed');
  }

  bytes(): Buffer {
    return this.fixed(Number(this.varint()));
  }

  fixed(size: number): Buffer {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw badRequest('the protobuf body is cut off or malformed');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/** Calls back for each field on the wire: number, and its bytes or its integer. */
function readFields(bytes: Buffer, each: (number: number, value: Buffer | bigint) => void): void {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = Number(reader.varint());
    const wire = tag & 7;
    if (wire === 0) each(tag >> 3, reader.varint());
    else if (wire === 2) each(tag >> 3, reader.bytes());
    else if (wire === 1) each(tag >> 3, reader.fixed(8));
    else if (wire === 5) each(tag >> 3, reader.fixed(4));
    else throw badRequest(`the protobuf body has an unknown wire type ${wire}`);
  }
}

const integer = (value: bigint) => Number(BigInt.asIntN(64, value));

/** seconds and nanos of a Time; undefined for the zero time. */
function timeText(bytes: Buffer, micro: boolean): string | undefined {
  let seconds = 0;
  let nanos = 0;
  readFields(bytes, (number, value) => {
    if (typeof value !== 'bigint') return;
    if (number === 1) seconds = integer(value);
    else if (number === 2) nanos = integer(value);
  });
  if (bytes.length === 0 || (seconds <= 0 && nanos === 0)) return undefined;
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return micro ? `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${whole}Z`;
}

function intOrString(bytes: Buffer): string | number {
  let isText = false;
  let number = 0;
  let text = '';
  readFields(bytes, (field, value) => {
    if (field === 1 && typeof value === 'bigint') isText = value === 1n;
    else if (field === 2 && typeof value === 'bigint') number = integer(value);
    else if (field === 3 && typeof value !== 'bigint') text = value.toString();
  });
  return isText ? text : number;
}

function innerText(bytes: Buffer): string {
  let text = '';
  readFields(bytes, (field, value) => {
    if (field === 1 && typeof value !== 'bigint') text = value.toString();
  });
  return text;
}

/** One value; undefined when it is the zero value of a field that Go does not hold by pointer. */
function decodeValue(type: string, value: Buffer | bigint, keepZero: boolean): unknown {
  if (typeof value === 'bigint') {
    const result = type === 'bool' ? value !== 0n : integer(value);
    return keepZero || result === true || (typeof result === 'number' && result !== 0) ? result : undefined;
  }
  const unlessEmpty = (text: string) => (text !== '' || keepZero ? text : undefined);
  switch (type) {
    case 'text':
      return unlessEmpty(value.toString());
    case 'bytes':
      return value.toString('base64');
    case 'time':
    case 'microTime':
      return timeText(value, type === 'microTime');
    case 'quantity':
      return unlessEmpty(innerText(value));
    case 'intOrString':
      return intOrString(value);
    case 'rawJson': {
      const text = innerText(value);
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    }
    default: {
      const message = messageOf(type);
      if (message === undefined) return undefined;
      const object = decodeMessage(message, value);
      return keepZero || Object.keys(object).length > 0 ? object : undefined;
    }
  }
}

function addEntry(target: Json, field: Field, value: Buffer): void {
  let key = '';
  let item: unknown = field.type === 'text' || field.type === 'bytes' ? '' : undefined;
  readFields(value, (number, part) => {
    if (number === 1 && typeof part !== 'bigint') key = part.toString();
    else if (number === 2) item = decodeValue(field.type, part, true);
  });
  const map = isJson(target[field.name]) ? (target[field.name] as Json) : {};
  Object.defineProperty(map, key, { value: item, enumerable: true, configurable: true, writable: true });
  target[field.name] = map;
}

function decodeMessage(message: Message, bytes: Buffer): Json {
  const result: Json = {};
  readFields(bytes, (number, value) => {
    const field = message.get(number);
    if (field === undefined) return;
    if (field.shape === 'map') {
      if (typeof value !== 'bigint') addEntry(result, field, value);
    } else if (field.shape === 'list') {
      const list = Array.isArray(result[field.name]) ? (result[field.name] as unknown[]) : [];
      list.push(decodeValue(field.type, value, true));
      result[field.name] = list;
    } else if (field.name === '~') Object.assign(result, decodeValue(field.type, value, true));
    else {
      const decoded = decodeValue(field.type, value, field.pointer);
      if (decoded !== undefined) result[field.name] = decoded;
    }
  });
  return result;
}

/** Decodes a body: four magic bytes, then runtime.Unknown that names and holds the object. */
export function decodeProtobuf(bytes: Buffer): Json {
  if (!bytes.subarray(0, 4).equals(magic))
    throw badRequest('the protobuf body does not start with the Kubernetes prefix');
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  readFields(bytes.subarray(4), (number, value) => {
    if (typeof value === 'bigint') return;
    if (number === 2) raw = value;
    if (number !== 1) return;
    readFields(value, (field, text) => {
      if (typeof text === 'bigint') return;
      if (field === 1) apiVersion = text.toString();
      else if (field === 2) kind = text.toString();
    });
  });
  const message = messageOf(`${apiVersion}.${kind}`) ?? messageOf(kind);
  // The client must send such a kind as JSON; a body read half would store half an object.
  if (message === undefined) throw unsupportedMediaType(['application/json', 'application/yaml']);
  return { apiVersion, kind, ...decodeMessage(message, raw) };
}

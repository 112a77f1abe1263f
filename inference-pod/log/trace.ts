/**
 * W3C Trace Context: what a caller says of the trace that its request belongs to. A pod calls nobody, so nothing is passed
 * on; it names its own work as a child of the caller's, in its log and to the caller (`traceresponse`). Without a valid
 * `traceparent` no trace is begun: nobody would collect it.
 */
import { randomFillSync } from 'node:crypto';

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The caller's span, 16 hex digits. */
  readonly parentId: string;
  /** This request's own span. */
  readonly spanId: string;
  /** Two hex digits; the last bit says that the caller records this trace. */
  readonly flags: string;
  /** `tracestate`, when it is one. */
  readonly state: string | undefined;
}

// A higher version than 00 may say more after the flags; ff is none.
const parent = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const key = '(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})';
const value = '[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]';
const member = new RegExp(`^(${key})=${value}$`);
const maxMembers = 32;
const maxStateLength = 512;

/** Reads both headers; undefined when there is no `traceparent` or not a valid one. A bad `tracestate` alone is left out. */
export const readTrace = (
  traceparent: string | undefined,
  tracestate?: string | undefined,
): TraceContext | undefined => {
  if (traceparent === undefined) return undefined;
  const match = traceparent.length <= 256 ? parent.exec(traceparent) : null;
  if (match === null) return undefined;
  const [, version = '', traceId = '', parentId = '', flags = '', more] = match;
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, parentId, spanId: newSpanId(), flags, state: validState(tracestate) };
};

/** The same of the headers of an HTTP request; repeated headers are no valid `traceparent`, but one `tracestate`. */
export const traceOfHeaders = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
): TraceContext | undefined => {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string') return undefined;
  return readTrace(traceparent, Array.isArray(tracestate) ? tracestate.join(',') : tracestate);
};

/** The `traceresponse` header: the span that answered, which the access line carries too. */
export const traceResponse = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${(Number.parseInt(flags, 16) & 1) === 1 ? '01' : '00'}`;

/** True when the caller records this trace, so that somebody can look it up. */
export const isSampled = ({ flags }: TraceContext): boolean => (Number.parseInt(flags, 16) & 1) === 1;

const validState = (text: string | undefined): string | undefined => {
  if (text === undefined || text.length > maxStateLength) return undefined;
  const seen = new Set<string>();
  for (const part of text.split(',')) {
    const trimmed = part.replace(/^[ \t]+|[ \t]+$/g, '');
    if (trimmed === '') continue;
    const name = member.exec(trimmed)?.[1];
    if (name === undefined || seen.has(name) || seen.size === maxMembers) return undefined;
    seen.add(name);
  }
  return seen.size === 0 ? undefined : text;
};

// One call for many: asking for eight bytes alone costs more than the rest of a request's trace.
const pool = Buffer.alloc(4096);
let used = pool.length;

const newSpanId = (): string => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString('hex', used, used + 8);
  used += 8;
  return id === '0000000000000000' ? newSpanId() : id;
};

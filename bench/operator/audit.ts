/** What the API server says was asked of it: its audit log, read on from where the last reading ended. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface Request {
  readonly atMs: number;
  readonly verb: string;
  /** `deployments`, `modeldeployments/status` */
  readonly resource: string;
  readonly code: number;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestReceivedTimestamp: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
}

export const isWrite = ({ verb }: Request): boolean => !['get', 'list', 'watch'].includes(verb);
export const isEvent = ({ resource }: Request): boolean => resource === 'events';
export const isLease = ({ resource }: Request): boolean => resource === 'leases';

/** Reads the requests of one user, part by part. */
export class AuditLog {
  readonly #path: string;
  readonly #username: string;
  #offset = 0;
  #rest = '';

  constructor(path: string, username: string) {
    this.#path = path;
    this.#username = username;
  }

  /** The requests that came since the last call, in the order in which they ended. */
  read(): Request[] {
    const requests: Request[] = [];
    const file = openSync(this.#path, 'r');
    const size = fstatSync(file).size;
    const buffer = Buffer.alloc(1 << 20);
    while (this.#offset < size) {
      const bytes = readSync(file, buffer, 0, Math.min(buffer.length, size - this.#offset), this.#offset);
      if (bytes === 0) break;
      this.#offset += bytes;
      // The log is ASCII: Go's encoder escapes nothing above it that a cut could split, names are ASCII.
      const lines = (this.#rest + buffer.toString('latin1', 0, bytes)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const request = this.#parse(line);
        if (request !== undefined) requests.push(request);
      }
    }
    closeSync(file);
    return requests;
  }

  #parse(line: string): Request | undefined {
    const event = JSON.parse(line) as AuditEvent;
    if (event.user.username !== this.#username) return undefined;
    // A watch has two entries, at its start and at its end: the start is the request.
    if (event.verb === 'watch' ? event.stage !== 'ResponseStarted' : event.stage !== 'ResponseComplete')
      return undefined;
    const { resource = '', subresource } = event.objectRef ?? {};
    return {
      atMs: Date.parse(event.requestReceivedTimestamp),
      verb: event.verb,
      resource: subresource === undefined ? resource : `${resource}/${subresource}`,
      code: event.responseStatus?.code ?? 0,
    };
  }
}

/** Counts per object by verb and resource, the most frequent first: `patch deployments 1.00`. */
export function breakdown(requests: readonly Request[], count: number): string[] {
  const groups = Map.groupBy(
    requests,
    ({ verb, resource, code }) =>
      `${verb} ${resource}${code >= 400 && code !== 404 ? ` (refused: ${code})` : ''}`,
  );
  return [...groups]
    .map(([name, group]) => ({ name, each: group.length / count }))
    .sort((a, b) => b.each - a.each)
    .map(({ name, each }) => `${each.toFixed(2).padStart(8)} ${name}`);
}

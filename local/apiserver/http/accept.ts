/** Reads the Accept header: plain objects, tables, or metadata only; JSON or YAML. */
import { notAcceptable } from '../status-error.ts';

export interface Wanted {
  readonly as: 'object' | 'table' | 'metadata';
  readonly format: 'json' | 'yaml';
}

/** The first form in the client's order that the server can make. */
export function parseAccept(header: string | undefined): Wanted {
  if (header === undefined || header.trim() === '') return { as: 'object', format: 'json' };
  for (const choice of header.split(',')) {
    const [type, ...parameters] = choice.split(';').map((part) => part.trim());
    const options = new Map(parameters.map((p) => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)]));
    const format = type === 'application/yaml' ? 'yaml' : 'json';
    if (
      type !== 'application/json' &&
      type !== 'application/yaml' &&
      type !== '*/*' &&
      type !== 'application/*'
    )
      continue;
    const as = options.get('as');
    if (as === undefined) return { as: 'object', format };
    if (options.get('g') !== 'meta.k8s.io' || options.get('v') !== 'v1') continue;
    if (as === 'Table') return { as: 'table', format };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
      return { as: 'metadata', format };
  }
  throw notAcceptable('application/json, application/yaml');
}

/** Where a model URI leads. */
import { ModelError } from '../inspect/model-error.ts';

export type ModelSource =
  | { readonly kind: 'http'; readonly url: URL }
  | { readonly kind: 'claim'; readonly claim: string; readonly path: string }
  | { readonly kind: 'file'; readonly path: string };

const decodePath = (uri: string, path: string): string => {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw new ModelError('ModelUnsupported', `the URI ${uri} has a broken percent-encoding`);
  }
  if (decoded.includes('\0')) throw new ModelError('ModelUnsupported', 'the URI has a NUL in its path');
  return decoded;
};

/** Parses `https://`, `pvc://` and `file://` URIs; `http://` only where `allowHttp` says that private servers may be asked. */
export const parseModelUri = (uri: string, allowHttp: boolean): ModelSource => {
  let url: URL;
  try {
    url = new URL(uri);
  } catch {
    throw new ModelError('ModelUnsupported', `'${uri.slice(0, 200)}' is no URI`);
  }
  switch (url.protocol) {
    case 'http:':
      if (!allowHttp) throw new ModelError('ModelUnsupported', 'http:// is not encrypted: use https://');
      return httpSource(url);
    case 'https:':
      return httpSource(url);
    case 'pvc:': {
      // URL does not normalise the path of a scheme that it does not know; the reader contains it.
      const path = decodePath(uri, url.pathname.replace(/^\/+/, ''));
      if (url.host === '' || path === '')
        throw new ModelError('ModelUnsupported', `'${uri}' must read pvc://CLAIM/PATH/OF/THE/FILE`);
      return { kind: 'claim', claim: url.host, path };
    }
    case 'file:':
      if (url.host !== '')
        throw new ModelError('ModelUnsupported', `'${uri}' names a host: write file:///PATH`);
      return { kind: 'file', path: decodePath(uri, url.pathname) };
    default:
      throw new ModelError(
        'ModelUnsupported',
        `${url.protocol}// is not supported: use https://, pvc:// or file://`,
      );
  }
};

const httpSource = (url: URL): ModelSource => {
  if (url.username !== '' || url.password !== '')
    throw new ModelError(
      'ModelUnsupported',
      'the URI holds credentials, which would show up in status and logs: remove them',
    );
  return { kind: 'http', url };
};

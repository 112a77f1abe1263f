/** The API server's audit log as a list of requests: who asked for what, and what came of it. */
import { readFileSync } from 'node:fs';

/** One request of a service account. */
export interface AuditedRequest {
  /** `system:serviceaccount:NAMESPACE:NAME`. */
  readonly user: string;
  readonly verb: string;
  /** As RBAC spells it, subresource included: `deployments.apps`, `modeldeployments.ballast.dev/status`; a path such as `/version` for what is no resource. */
  readonly resource: string;
  /** Empty for what has no namespace and for lists over all namespaces. */
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  /** What the server said to a refused request. */
  readonly message: string;
}

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly message?: string };
}

/** Name of a resource as RBAC rules and people spell it. */
export const resourceName = (group: string, resource: string, subresource = ''): string =>
  `${resource}${group === '' ? '' : `.${group}`}${subresource === '' ? '' : `/${subresource}`}`;

const requestOf = ({
  verb,
  requestURI,
  user,
  objectRef: object,
  responseStatus: status,
}: AuditEvent): AuditedRequest => ({
  user: user.username,
  verb,
  resource:
    object === undefined
      ? (requestURI.split('?')[0] ?? '')
      : resourceName(object.apiGroup ?? '', object.resource, object.subresource),
  namespace: object?.namespace ?? '',
  name: object?.name ?? '',
  code: status?.code ?? 0,
  message: status?.message ?? '',
});

/** Requests of an audit log in JSON lines; a last line that is still being written is left out. */
export function parseAuditLog(text: string): AuditedRequest[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => requestOf(JSON.parse(line) as AuditEvent));
}

/** Reads the requests of one service account, or of all, from the log's file. */
export const readAuditLog = (path: string, user?: string): AuditedRequest[] =>
  parseAuditLog(readFileSync(path, 'utf8')).filter((request) => user === undefined || request.user === user);

/** What a namespace allows: objects are created only in one that exists and is not being deleted. */
import type { Core } from './core.ts';
import type { Kind } from './kind.ts';
import type { AnyObject } from './object.ts';
import { forbidden, notFound } from './status-error.ts';

/** Refuses a create in a namespace that is absent or terminating. */
export function checkNamespaceForCreate(core: Core, kind: Kind, draft: AnyObject): void {
  if (!kind.namespaced) return;
  const name = draft.metadata.namespace ?? '';
  const namespace = core.storage.get('namespaces', name);
  if (namespace === undefined) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, name);
  if (namespace.metadata.deletionTimestamp !== undefined)
    throw forbidden(
      kind,
      draft.metadata.name ?? '',
      `unable to create new content in namespace ${name} because it is being terminated`,
      [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${name} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    );
}

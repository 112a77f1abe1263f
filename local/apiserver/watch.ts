/** Watches: resume from history, follow changes, translate a selector's edge into ADDED and DELETED, bookmarks. */
import type { WatchEvent } from '../../kube/objects.ts';
import { type Core, present } from './core.ts';
import { groupVersionOf, type Kind } from './kind.ts';
import type { AnyObject } from './object.ts';
import { parseResourceVersion, type Selection, selectionMatch } from './read.ts';
import { badRequest, expired, fault, invalid } from './status-error.ts';
import type { StoredEvent } from './storage.ts';

export interface WatchOptions extends Selection {
  /** Absent or "0": the present objects first, as ADDED. */
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly allowWatchBookmarks?: boolean;
  /** Present objects first, then a bookmark that says so. */
  readonly sendInitialEvents?: boolean;
}

type WatchListener = (event: WatchEvent<AnyObject>) => void;

export interface Watch {
  /** Sends a bookmark with the latest revision. */
  bookmark(): void;
  stop(): void;
}

const listOptionsType = { group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' };

function checkInitialEvents(options: WatchOptions): void {
  const match = options.resourceVersionMatch ?? '';
  if (options.sendInitialEvents === undefined) {
    if (match !== '')
      throw invalid(listOptionsType, '', [
        fault.forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
        ...(match === 'NotOlderThan'
          ? []
          : [fault.notSupported('resourceVersionMatch', match, ['NotOlderThan'])]),
      ]);
    return;
  }
  if (match !== 'NotOlderThan')
    throw invalid(listOptionsType, '', [
      fault.forbidden(
        'resourceVersionMatch',
        'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    ]);
  if (options.sendInitialEvents && options.allowWatchBookmarks !== true)
    throw invalid(listOptionsType, '', [
      fault.forbidden(
        'allowWatchBookmarks',
        'sendInitialEvents is forbidden for watch unless allowWatchBookmarks is set',
      ),
    ]);
}

/** Starts a watch; the listener is called while changes are made, so it must be quick and must not write. */
export function watchObjects(core: Core, kind: Kind, options: WatchOptions, listener: WatchListener): Watch {
  checkInitialEvents(options);
  const match = selectionMatch(kind, options);
  const namespace = kind.namespaced ? options.namespace : undefined;
  const asked = parseResourceVersion(options.resourceVersion);
  const current = core.storage.revision;
  // A server that was started anew counts from the start: clients that know a later revision must list again.
  if (asked !== undefined && asked > current)
    throw expired(`too old resource version: ${asked} (${current})`);
  const wants = (object: AnyObject | undefined): object is AnyObject =>
    object !== undefined &&
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (match === undefined || match(present(kind, object)));

  const forward = (event: StoredEvent): void => {
    const before = wants(event.previous);
    const after = event.type !== 'DELETED' && wants(event.object);
    if (after) {
      listener({ type: before ? 'MODIFIED' : 'ADDED', object: present(kind, event.object) });
    } else if (before && event.previous !== undefined) {
      // An object that left the selection is sent as it last matched, with the revision of the change.
      const last =
        event.type === 'DELETED' ? event.object : withRevision(event.previous, String(event.revision));
      listener({ type: 'DELETED', object: present(kind, last) });
    }
  };
  const bookmark = (initialEnd = false): void =>
    listener({
      type: 'BOOKMARK',
      object: {
        kind: kind.kind,
        apiVersion: groupVersionOf(kind),
        metadata: {
          resourceVersion: String(core.storage.revision),
          ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
        },
      },
    });

  const startsWithState = options.sendInitialEvents ?? asked === undefined;
  let past: StoredEvent[] = [];
  if (!startsWithState && asked !== undefined) {
    const events = core.storage.eventsAfter(kind.collection, asked);
    if (events === undefined)
      throw expired(`too old resource version: ${asked} (${core.storage.forgottenRevision})`);
    past = events;
  }
  if (options.sendInitialEvents === false && asked === undefined && options.resourceVersion === undefined)
    throw badRequest('sendInitialEvents=false needs a resourceVersion');
  const stop = core.storage.subscribe(kind.collection, forward);
  if (startsWithState)
    for (const [, stored] of core.storage.list(kind.collection, namespace))
      if (wants(stored)) listener({ type: 'ADDED', object: present(kind, stored) });
  for (const event of past) forward(event);
  if (options.sendInitialEvents === true) bookmark(true);
  return { bookmark: () => bookmark(), stop };
}

function withRevision(object: AnyObject, resourceVersion: string): AnyObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

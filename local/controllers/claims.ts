/** PersistentVolumeClaims: each is a folder of the kubelet, bound at once. */
import { resources } from '../../kube/resource.ts';
import { refOf } from './access.ts';
import { ControlLoop } from './control-loop.ts';
import type { PersistentVolumeClaim } from './kinds.ts';
import type { ControllerParts } from './parts.ts';

export interface ClaimFolders {
  /** Makes the folder of a claim. */
  make(namespace: string, name: string): Promise<void>;
  /** Removes it with what it holds. */
  remove(namespace: string, name: string): Promise<void>;
}

/** Starts the controller; the returned loop is stopped by the caller. */
export function startClaimController(
  parts: ControllerParts & { readonly folders: ClaimFolders },
): ControlLoop {
  const { cache } = parts;
  const deleted = new Set<string>();
  const loop = new ControlLoop({
    name: 'claim',
    clock: parts.clock,
    log: parts.log,
    async reconcile(key) {
      const claim = cache.get<PersistentVolumeClaim>(resources.persistentVolumeClaims, key);
      const slash = key.indexOf('/');
      if (claim === undefined) {
        if (deleted.delete(key)) await parts.folders.remove(key.slice(0, slash), key.slice(slash + 1));
        return undefined;
      }
      if (claim.status?.phase === 'Bound' || claim.metadata.deletionTimestamp !== undefined) return undefined;
      await parts.folders.make(key.slice(0, slash), key.slice(slash + 1));
      const volumeName = `folder-${claim.metadata.uid ?? ''}`;
      if (claim.spec.volumeName === undefined)
        await cache.patch(resources.persistentVolumeClaims, refOf(claim), { spec: { volumeName } });
      const storage = claim.spec.resources?.requests?.storage;
      await cache.patch(
        resources.persistentVolumeClaims,
        refOf(claim),
        {
          status: {
            phase: 'Bound',
            accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
            ...(storage === undefined ? {} : { capacity: { storage } }),
          },
        },
        { subresource: 'status' },
      );
      return undefined;
    },
  });
  cache.onChange(resources.persistentVolumeClaims, (change) => {
    if (change.deleted) deleted.add(change.key);
    else deleted.delete(change.key);
    loop.enqueue(change.key);
  });
  return loop;
}

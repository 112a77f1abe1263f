/** What a plan asks of the API server. */
import type { KubeObject } from '../../kube/objects.ts';
import type { ChildKind } from './snapshot.ts';

/** One object to apply. */
export interface ApplyAction {
  readonly kind: ChildKind;
  readonly object: KubeObject;
  /** It is not in the cache and its name might be somebody else's: what is there is not to be taken unseen. */
  readonly mayBeTaken: boolean;
  /** The live object that is meant: an apply must not bring back what somebody just deleted. Undefined: it is to be made. */
  readonly uid: string | undefined;
  /** Hash of the object, also in its annotation. */
  readonly hash: string;
  /** Fields that somebody changed since it was last applied in this very form. */
  readonly edited: readonly string[];
  /** Who changed them, where nothing but the replica count was changed and its writers are known. */
  readonly editors?: readonly string[];
}

export interface DeleteAction {
  readonly kind: ChildKind;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Set where the decision depends on the object's state: it must not have changed since. */
  readonly resourceVersion?: string;
}

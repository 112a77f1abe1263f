/** The room that ModelDeployments keep ahead of need: made when one asks for it, sized as decided, gone with the wish. */
import { fieldManagers } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller.ts';
import { isForbidden, isInvalid, isNotFound } from '../../kube/errors.ts';
import { messageOf } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type { Deployment, KubeObject } from '../../kube/objects.ts';
import { type ObjectKey, type ResourceType, resources } from '../../kube/resource.ts';
import { childHash } from '../model/hash.ts';
import { type GivenWay, giveWay, takenWithinMs } from '../model/headroom/giving-way.ts';
import {
  type BufferVersion,
  bufferType,
  bufferVersions,
  type CapacityBuffer,
  capacityBuffer,
  type HeadroomForm,
  headroomName,
  isOwnHeadroom,
  type PlaceholderSettings,
  placeholders,
} from '../model/headroom/objects.ts';
import {
  type HeadroomReading,
  type KeptHeadroom,
  keptByBuffer,
  keptByPlaceholders,
  placeholdersInPlace,
} from '../model/headroom/reading.ts';
import { revisionChildName } from '../model/names.ts';
import type { Known } from '../model/scaling/types.ts';
import type { Caches } from './caches.ts';

/** Room that is whole is looked at this often, and put right where somebody changed it: nobody watches these objects. */
const wholeMs = 60_000;
/** Room that is still being made is looked at sooner. */
const partialMs = 2_000;
/** How long it is held for known which API the cluster has: it may be installed at any time. */
const formMs = 300_000;

/** What the fleet loop decided. */
export interface DecidedHeadroom {
  readonly headroom?: Known<number> | undefined;
  /** Pods that find no place. */
  readonly blocked: number;
}

export interface HeadroomsOptions {
  readonly api: KubeApi;
  readonly caches: Pick<Caches, 'modelDeployments' | 'deployments'>;
  readonly settings: () => PlaceholderSettings;
  readonly decided: (deployment: ModelDeployment) => DecidedHeadroom | undefined;
  readonly observer: Observer;
  /** Wall clock. */
  readonly nowMs: () => number;
  /** Reconciles the ModelDeployment: something about its room is new. */
  readonly onChange: (key: ObjectKey) => void;
}

interface Entry {
  readonly uid: string;
  readonly hash?: string;
  /** When it is to be looked at again, though nothing else is new. */
  readonly dueMs?: number;
  /** Replicas of the model when it was last looked at: more of them may have taken the room. */
  readonly beside?: number | undefined;
  readonly kept?: KeptHeadroom | undefined;
  readonly problem?: string | undefined;
  /** What was given up for pods that find no place. */
  readonly given?: GivenWay | undefined;
  /** The wish ended, and what it made is deleted. */
  readonly gone?: boolean;
}

/** Placeholders that have a place already; none where there is no Deployment of them. */
const inPlaceOf = (live: KubeObject | undefined): Known<number> =>
  live === undefined ? 0 : placeholdersInPlace(live as Deployment);

/** Somebody else has the name. */
class Taken extends Error {}

/** Whether it asks for room, or did and has not been told that it is gone. */
export const concernsHeadroom = ({ spec, status }: ModelDeployment): boolean =>
  spec.scaling.headroom !== undefined || status?.scaling?.headroom !== undefined;

export class Headrooms {
  readonly #options: HeadroomsOptions;
  readonly #entries = new Map<ObjectKey, Entry>();
  /** Which version the cluster serves; undefined: none. */
  #buffers: { readonly version: BufferVersion | undefined; readonly atMs: number } | undefined;

  constructor(options: HeadroomsOptions) {
    this.#options = options;
  }

  /** What is known of its room; undefined where it wants none and has none. */
  readingOf(deployment: ModelDeployment): HeadroomReading | undefined {
    if (!concernsHeadroom(deployment)) return undefined;
    const entry = this.#entryOf(deployment);
    const isWanted = deployment.spec.scaling.headroom !== undefined;
    if (!isWanted && entry?.gone === true) return undefined;
    const { kept, problem } = entry ?? {};
    return { wanted: isWanted ? this.#wanted(deployment) : 0, kept, problem };
  }

  forget(key: ObjectKey): void {
    this.#entries.delete(key);
  }

  /** Brings the room of one ModelDeployment to what was decided. */
  async reconcile(key: ObjectKey, { signal }: ReconcileContext): Promise<ReconcileResult | undefined> {
    const deployment = this.#options.caches.modelDeployments.store.get(key);
    // What a deleted one made goes with it: it is the owner.
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return undefined;
    const told = deployment.status?.scaling?.headroom;
    // Status says it first, so that whoever comes after a crash knows of what there may be.
    if (told === undefined) return undefined;
    try {
      if (deployment.spec.scaling.headroom === undefined) {
        await this.#remove(key, deployment, told.form, signal);
        return undefined;
      }
      return await this.#keep(key, deployment, told, signal);
    } catch (error) {
      const before = this.#entryOf(deployment);
      const lasts = error instanceof Taken || isForbidden(error) || isInvalid(error);
      this.#tell(key, {
        ...(before ?? { uid: deployment.metadata.uid }),
        hash: '',
        problem: lasts ? messageOf(error) : before?.problem,
      });
      throw error;
    }
  }

  #entryOf({ metadata: { namespace, name, uid } }: ModelDeployment): Entry | undefined {
    const entry = this.#entries.get(`${namespace}/${name}`);
    return entry?.uid === uid ? entry : undefined;
  }

  #wanted(deployment: ModelDeployment): Known<number> {
    return this.#options.decided(deployment)?.headroom ?? 'unknown';
  }

  #tell(key: ObjectKey, entry: Entry): void {
    const before = this.#entries.get(key);
    this.#entries.set(key, entry);
    const words = (one: Entry | undefined) => JSON.stringify([one?.kept, one?.problem, one?.gone]);
    if (words(before) !== words(entry)) this.#options.onChange(key);
  }

  async #keep(
    key: ObjectKey,
    deployment: ModelDeployment,
    told: { readonly replicas: number; readonly form?: HeadroomForm | undefined },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { caches, settings, nowMs, decided } = this.#options;
    const { name, namespace, uid } = deployment.metadata;
    const revision = deployment.status?.stable?.revision ?? deployment.status?.candidate?.revision;
    const model =
      revision === undefined
        ? undefined
        : caches.deployments.store.get(`${namespace}/${revisionChildName(name, revision)}`);
    if (revision === undefined || model === undefined) return { requeueAfterMs: partialMs };
    const before = this.#entryOf(deployment);
    const wanted = this.#wanted(deployment);
    // While it is not known how much is needed, what is kept stays.
    const replicas = wanted === 'unknown' ? (before?.kept?.replicas ?? told.replicas) : wanted;
    const version = await this.#bufferVersion(namespace, signal);
    const form: HeadroomForm = version === undefined ? 'Placeholders' : 'CapacityBuffer';
    const former = before?.kept?.form ?? told.form;
    if (former !== undefined && former !== form) await this.#delete(deployment, former, signal);
    const type = version === undefined ? resources.deployments : bufferType(version);
    const live = before?.kept === undefined ? await this.#look(deployment, type, signal) : undefined;
    const rules = settings();
    // Without a priority below theirs no placeholder would give way to the model's pods by itself.
    const given =
      version === undefined && rules.priorityClassName === ''
        ? giveWay(
            replicas,
            before?.kept?.form === form ? before.kept.inPlace : inPlaceOf(live),
            decided(deployment)?.blocked ?? 0,
            before?.given,
            nowMs(),
          )
        : undefined;
    const object =
      version === undefined
        ? placeholders(deployment, model.spec.template, given?.replicas ?? replicas, rules)
        : capacityBuffer(deployment, revision, replicas, version);
    const hash = childHash(object);
    const beside = model.spec.replicas;
    const isCalm = before?.beside === beside;
    const leftMs = (before?.dueMs ?? 0) - nowMs();
    if (before?.hash === hash && isCalm && leftMs > 0) {
      this.#entries.set(key, { ...before, given });
      return { requeueAfterMs: leftMs };
    }
    const made = await this.#options.api.apply<KubeObject>(type, object, {
      fieldManager: fieldManagers.operator,
      force: true,
      signal,
    });
    this.#options.observer.count('writes_total', { kind: type.kind, verb: 'apply' });
    const kept =
      version === undefined
        ? keptByPlaceholders(made as Deployment, rules.priorityClassName !== '')
        : keptByBuffer(made as CapacityBuffer);
    // Replicas that came a moment ago have not taken their places yet: this look is not the last one.
    const isWhole = isCalm && kept.inPlace === kept.replicas;
    const requeueAfterMs = !isWhole ? partialMs : given === undefined ? wholeMs : takenWithinMs;
    this.#tell(key, { uid, hash, dueMs: nowMs() + requeueAfterMs, beside, kept, given });
    return { requeueAfterMs };
  }

  async #remove(
    key: ObjectKey,
    deployment: ModelDeployment,
    form: HeadroomForm | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const before = this.#entryOf(deployment);
    if (before?.gone === true) return;
    const made = before?.kept?.form ?? form;
    // An apply whose answer was lost may have made either.
    for (const one of made === undefined ? (['CapacityBuffer', 'Placeholders'] as const) : [made])
      await this.#delete(deployment, one, signal);
    this.#tell(key, { uid: deployment.metadata.uid, gone: true });
  }

  /** Deletes what is ours of a form. */
  async #delete(deployment: ModelDeployment, form: HeadroomForm, signal: AbortSignal): Promise<void> {
    const { api, observer } = this.#options;
    const { namespace } = deployment.metadata;
    const version = form === 'Placeholders' ? undefined : await this.#bufferVersion(namespace, signal);
    if (form === 'CapacityBuffer' && version === undefined) return;
    const type = version === undefined ? resources.deployments : bufferType(version);
    const live = await this.#find(deployment, type, signal);
    if (live?.metadata.uid === undefined || !isOwnHeadroom(live, deployment)) return;
    const name = headroomName(deployment.metadata.name);
    try {
      await api.delete(
        type,
        { namespace, name },
        {
          uid: live.metadata.uid,
          propagationPolicy: 'Background',
          signal,
        },
      );
      observer.count('writes_total', { kind: type.kind, verb: 'delete' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #find(
    { metadata: { name, namespace } }: ModelDeployment,
    type: ResourceType,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const { items } = await this.#options.api.list<KubeObject>(type, {
      namespace,
      fieldSelector: `metadata.name=${headroomName(name)}`,
      signal,
    });
    return items[0];
  }

  /** What there is already; nothing of anybody else's is taken. */
  async #look(
    deployment: ModelDeployment,
    type: ResourceType,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const live = await this.#find(deployment, type, signal);
    if (live !== undefined && !isOwnHeadroom(live, deployment))
      throw new Taken(
        `${type.kind} "${headroomName(deployment.metadata.name)}" exists and Ballast did not make it: rename or delete it`,
      );
    return live;
  }

  /** The version of CapacityBuffer that this cluster serves: a list of an API that is not there is a 404. */
  async #bufferVersion(namespace: string, signal: AbortSignal): Promise<BufferVersion | undefined> {
    const { api, nowMs } = this.#options;
    const known = this.#buffers;
    if (known !== undefined && nowMs() - known.atMs < formMs) return known.version;
    let served: BufferVersion | undefined;
    for (const version of bufferVersions) {
      try {
        await api.list(bufferType(version), { namespace, limit: 1, signal });
        served = version;
        break;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    this.#buffers = { version: served, atMs: nowMs() };
    return served;
  }
}

/** The gateway of each namespace: made with the first ModelDeployment that takes this path, kept, gone with the last. */
import { fieldManagers } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller.ts';
import { isForbidden, isInvalid, isNotFound } from '../../kube/errors.ts';
import { messageOf } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type { Deployment, KubeObject } from '../../kube/objects.ts';
import { missingRule, ruleRemedy, ruleText } from '../../kube/rbac.ts';
import { type ObjectKey, resources } from '../../kube/resource.ts';
import {
  type GatewayChildKind,
  type GatewaySettings,
  gatewayAnchor,
  gatewayChildren,
  gatewayKinds,
  gatewayName,
  isGatewayObject,
} from '../model/gateway/children.ts';
import { type GatewayProblem, type GatewayReading, wantsGateway } from '../model/gateway/path.ts';
import { freePort } from '../model/gateway/ports.ts';
import { portOf, routesName } from '../model/gateway/routes.ts';
import { childHash } from '../model/hash.ts';
import { type Caches, ofNamespace } from './caches.ts';

/** What nobody watches of a gateway (its rights, its budget) is applied again this often. */
const againMs = 300_000;

export interface GatewaysOptions {
  readonly api: KubeApi;
  readonly caches: Pick<Caches, 'modelDeployments' | 'configMaps' | 'gatewaySlices' | 'gatewayDeployments'>;
  readonly settings: () => GatewaySettings;
  readonly observer: Observer;
  /** Wall clock. */
  readonly nowMs: () => number;
  /** Reconciles the ModelDeployments of the namespace that want a gateway: something about it is new. */
  readonly onChange: (namespace: string) => void;
}

/** What was last applied in a namespace. */
interface Applied {
  readonly hash: string;
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  readonly atMs: number;
}

/** Key of a namespace's gateway, as queues have it. */
export const gatewayKey = (namespace: string): ObjectKey => `${namespace}/${gatewayName}`;

/** Somebody else has the name. */
class Taken extends Error {}

/** What people must mend; undefined for what a later try may heal. */
function problemOf(error: unknown): GatewayProblem | undefined {
  const message = messageOf(error);
  if (error instanceof Taken) return { reason: 'ChildConflict', message };
  if (isInvalid(error)) return { reason: 'SpecInvalid', message };
  if (!isForbidden(error)) return undefined;
  const rule = missingRule(error);
  const told = rule === undefined ? message : `the operator may not ${ruleText(rule)}: ${ruleRemedy(rule)}`;
  return { reason: 'Forbidden', message: told };
}

export class Gateways {
  readonly #options: GatewaysOptions;
  readonly #applied = new Map<string, Applied>();
  readonly #problems = new Map<string, GatewayProblem>();
  /** Per namespace, the model of each port. */
  readonly #ports = new Map<string, Map<number, string>>();

  constructor(options: GatewaysOptions) {
    this.#options = options;
  }

  /** What is known of the gateway, where the deployment wants one; its port is its own from now on. */
  readingOf(deployment: ModelDeployment): GatewayReading | undefined {
    if (!wantsGateway(deployment)) return undefined;
    const { name, namespace } = deployment.metadata;
    return {
      port: this.#portOf(namespace, name),
      readyPods: this.readyPods(namespace),
      problem: this.#problems.get(namespace),
    };
  }

  /** Gateway pods of a namespace that serve. `ready` says nothing in a Service that publishes unready addresses. */
  readyPods(namespace: string): number {
    let ready = 0;
    for (const slice of this.#options.caches.gatewaySlices.store.byIndex(ofNamespace, namespace))
      for (const { conditions } of slice.endpoints)
        if (conditions?.serving === true && conditions.terminating !== true) ready += 1;
    return ready;
  }

  /** A ModelDeployment is gone: its port is free. */
  forget(namespace: string, name: string): void {
    const ports = this.#ports.get(namespace);
    for (const [port, holder] of ports ?? []) if (holder === name) ports?.delete(port);
  }

  /** What was applied in the namespace may be gone: the next reconcile applies it anew. */
  doubt(namespace: string): void {
    this.#applied.delete(namespace);
  }

  #portOf(namespace: string, name: string): number | undefined {
    const ports = this.#ports.get(namespace) ?? this.#readPorts(namespace);
    for (const [port, holder] of ports) if (holder === name) return port;
    const port = freePort(name, new Set(ports.keys()));
    if (port !== undefined) ports.set(port, name);
    return port;
  }

  /** The ports that an earlier operator gave. Where two models have one (a restored backup), the first by name keeps it. */
  #readPorts(namespace: string): Map<number, string> {
    const { configMaps, modelDeployments } = this.#options.caches;
    const ports = new Map<number, string>();
    const models = modelDeployments.store
      .list()
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name)
      .sort();
    for (const name of models) {
      const routes = configMaps.store.get(`${namespace}/${routesName(name)}`);
      const port = routes === undefined ? undefined : portOf(routes);
      if (port !== undefined && !ports.has(port)) ports.set(port, name);
    }
    this.#ports.set(namespace, ports);
    return ports;
  }

  /** Brings the gateway of the key's namespace to what it must be. */
  async reconcile(key: ObjectKey, { signal }: ReconcileContext): Promise<ReconcileResult | undefined> {
    const namespace = key.slice(0, key.indexOf('/'));
    const { caches, settings, nowMs } = this.#options;
    const live = caches.gatewayDeployments.store.get(key);
    const owners = caches.modelDeployments.store
      .list()
      .filter(
        (one) =>
          one.metadata.namespace === namespace &&
          one.metadata.deletionTimestamp === undefined &&
          wantsGateway(one),
      );
    if (owners.length === 0) {
      await this.#remove(namespace, live, signal);
      return undefined;
    }
    const anchor = gatewayAnchor(namespace, owners);
    const wakes = owners.some(({ spec }) => spec.scaling.scaleToZero !== undefined);
    const hash = childHash({ anchor, wakes, settings: settings() });
    const before = this.#applied.get(namespace);
    const isAsApplied =
      before?.hash === hash &&
      before.uid === live?.metadata.uid &&
      before.generation === live?.metadata.generation;
    const leftMs = (before?.atMs ?? 0) + againMs - nowMs();
    if (isAsApplied && leftMs > 0) return { requeueAfterMs: leftMs };
    try {
      const made = await this.#apply(namespace, anchor, wakes, signal);
      const { uid, generation } = made.metadata;
      this.#applied.set(namespace, { hash, uid, generation, atMs: nowMs() });
      this.#tell(namespace, undefined);
    } catch (error) {
      this.doubt(namespace);
      const problem = problemOf(error);
      if (problem !== undefined) this.#tell(namespace, problem);
      throw error;
    }
    return { requeueAfterMs: againMs };
  }

  #tell(namespace: string, problem: GatewayProblem | undefined): void {
    if (this.#problems.get(namespace)?.message === problem?.message) return;
    if (problem === undefined) this.#problems.delete(namespace);
    else this.#problems.set(namespace, problem);
    this.#options.onChange(namespace);
  }

  /** Applies all, once every name is found to be free or its own. Resolves to the Deployment. */
  async #apply(
    namespace: string,
    anchor: KubeObject,
    wakes: boolean,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const apply = async (kind: GatewayChildKind, object: KubeObject) => {
      const answer = await this.#options.api.apply(resources[kind], object, {
        fieldManager: fieldManagers.operator,
        force: true,
        signal,
      });
      this.#options.observer.count('writes_total', { kind: resources[kind].kind, verb: 'apply' });
      return answer;
    };
    // Before the first write: half a gateway would be left behind.
    for (const kind of gatewayKinds) await this.#mustBeFree(namespace, kind, signal);
    let last = await apply('serviceAccounts', anchor);
    const anchorUid = last.metadata.uid ?? '';
    const children = gatewayChildren(namespace, anchorUid, this.#options.settings(), wakes);
    for (const { kind, object } of children) last = await apply(kind, object);
    return last;
  }

  /** Nothing of anybody else's is taken. Of Roles the operator may read those of this name alone, and list none. */
  async #mustBeFree(namespace: string, kind: GatewayChildKind, signal: AbortSignal): Promise<void> {
    const { api } = this.#options;
    const items =
      kind === 'roles' || kind === 'roleBindings'
        ? await api.get<KubeObject>(resources[kind], { namespace, name: gatewayName }, { signal }).then(
            (object) => [object],
            (error: unknown) => {
              if (isNotFound(error)) return [];
              throw error;
            },
          )
        : (
            await api.list<KubeObject>(resources[kind], {
              namespace,
              fieldSelector: `metadata.name=${gatewayName}`,
              signal,
            })
          ).items;
    if (items.some((object) => !isGatewayObject(object)))
      throw new Taken(
        `${resources[kind].kind} "${gatewayName}" exists and Ballast did not make it: rename or delete it`,
      );
  }

  /** The garbage collector takes the rest with the anchor. */
  async #remove(namespace: string, live: Deployment | undefined, signal: AbortSignal): Promise<void> {
    this.#applied.delete(namespace);
    this.#problems.delete(namespace);
    const anchor = live?.metadata.ownerReferences?.find(({ kind }) => kind === 'ServiceAccount');
    if (live?.metadata.deletionTimestamp !== undefined || anchor === undefined) return;
    try {
      await this.#options.api.delete(
        resources.serviceAccounts,
        { namespace, name: gatewayName },
        { uid: anchor.uid, propagationPolicy: 'Background', signal },
      );
      this.#options.observer.count('writes_total', { kind: 'ServiceAccount', verb: 'delete' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

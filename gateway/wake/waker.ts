/**
 * Asks for the first pod of a model that sleeps: raises the scale of its Deployment from 0 to 1, and never touches any
 * other count. Works with or without an operator. However many requests come and however many gateways there are, one
 * write comes of it: a gateway has one call at a time, and a write holds only while nobody else wrote.
 */
import type { KubeApi } from '../../kube/api.ts';
import { isConflict } from '../../kube/errors.ts';
import { type Log, messageOf } from '../../kube/log.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';

interface Scale extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

export interface WakerOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly deployment: string;
  readonly log: Log;
  /** Whether requests still wait and no pod is there. */
  isWanted(): boolean;
  /** The scale was raised by this gateway, so long after the first request asked. */
  onWoken(tookMs: number): void;
}

const gatewayFieldManager = 'ballast-gateway';

const callTimeoutMs = 5_000;
/** A write that was overtaken is looked at again at once, so often. */
const mostConflicts = 5;
/** After a failure the next try comes after so long, doubled each time up to the second number. */
const pauseMs: readonly [first: number, longest: number] = [100, 3_000];
/** Pods that were asked for take their time; that they still are asked for is looked at this often. */
const lookAgainMs = 3_000;

export class Waker {
  readonly #options: WakerOptions;
  #isBusy = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: WakerOptions) {
    this.#options = options;
  }

  /** Requests wait for a first pod. Called for each of them; all but the first cost nothing. */
  want(): void {
    if (this.#isBusy || this.#timer !== undefined || this.#isClosed) return;
    this.#isBusy = true;
    void this.#wake(performance.now());
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #wake(fromMs: number): Promise<void> {
    const { deployment, log, onWoken } = this.#options;
    let againMs = lookAgainMs;
    try {
      if (await this.#raise()) {
        const tookMs = performance.now() - fromMs;
        onWoken(tookMs);
        log.info('asked for a first pod', { deployment, tookMs: Math.round(tookMs * 10) / 10 });
      }
      this.#failures = 0;
    } catch (error) {
      againMs = Math.min(pauseMs[1], pauseMs[0] * 2 ** this.#failures);
      this.#failures += 1;
      log.warn('the first pod cannot be asked for', { deployment, error: messageOf(error), againMs });
    }
    this.#isBusy = false;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#options.isWanted()) this.want();
    }, againMs).unref();
  }

  /** True when the scale was 0 and is 1 now by this call. */
  async #raise(): Promise<boolean> {
    const { api, namespace, deployment: name } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const scale = await api.get<Scale>(
        resources.deployments,
        { name, namespace },
        { subresource: 'scale', timeoutMs: callTimeoutMs },
      );
      // The server leaves a 0 out.
      if ((scale.spec?.replicas ?? 0) !== 0) return false;
      const { resourceVersion } = scale.metadata;
      try {
        await api.patch<Scale>(
          resources.deployments,
          { name, namespace },
          {
            metadata: resourceVersion === undefined ? {} : { resourceVersion },
            spec: { replicas: 1 },
          },
          {
            patchType: 'application/merge-patch+json',
            subresource: 'scale',
            fieldManager: gatewayFieldManager,
            timeoutMs: callTimeoutMs,
          },
        );
        return true;
      } catch (error) {
        if (!isConflict(error) || attempt >= mostConflicts) throw error;
      }
    }
  }
}

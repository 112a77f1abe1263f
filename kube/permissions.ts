/** Which rules the process lacks at present: seen at every call, told once, forgotten when the same call passes. */
import type { KubeApi } from './api.ts';
import type { Clock } from './clock.ts';
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from './errors.ts';
import type { Log } from './log.ts';
import type { Observer } from './metrics.ts';
import { type MissingRule, missingRule, ruleRemedy, ruleText } from './rbac.ts';
import type { ResourceType } from './resource.ts';

export interface PermissionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
}

/** What nobody asked for again in this time is no news any more: refused calls are tried each minute. */
const rememberMs = 600_000;
/** Bound of what is kept: rules times namespaces. */
const maxRemembered = 1_000;

interface Entry {
  readonly rule: MissingRule;
  seenAtMs: number;
}

export class Permissions {
  readonly #options: PermissionsOptions;
  /** By what was called; one call may need several rules, as an apply that creates does. */
  readonly #missing = new Map<string, Entry>();

  constructor(options: PermissionsOptions) {
    this.#options = options;
  }

  /** The same API, watched. Lists and watches are the reflectors' to tell. */
  watch(api: KubeApi): KubeApi {
    const seen = async <R>(
      verb: string,
      type: ResourceType,
      namespace: string | undefined,
      subresource: string | undefined,
      call: () => Promise<R>,
    ): Promise<R> => {
      const key = `${verb} ${type.group}/${type.plural}/${subresource ?? ''} ${namespace ?? ''}`;
      try {
        const answer = await call();
        this.#allowed(key);
        return answer;
      } catch (error) {
        const rule = missingRule(error);
        if (rule !== undefined) this.#refused(key, rule);
        else if (wasAuthorized(error)) this.#allowed(key);
        throw error;
      }
    };
    return {
      list: (type, options) => api.list(type, options),
      watch: (type, options) => api.watch(type, options),
      get: (type, ref, options) =>
        seen('get', type, ref.namespace, undefined, () => api.get(type, ref, options)),
      create: (type, object, options) =>
        seen('create', type, object.metadata.namespace, options?.subresource, () =>
          api.create(type, object, options),
        ),
      replace: (type, object, options) =>
        seen('replace', type, object.metadata.namespace, options?.subresource, () =>
          api.replace(type, object, options),
        ),
      patch: (type, ref, patch, options) =>
        seen('patch', type, ref.namespace, options.subresource, () => api.patch(type, ref, patch, options)),
      apply: (type, object, options) =>
        seen('apply', type, object.metadata.namespace, options.subresource, () =>
          api.apply(type, object, options),
        ),
      delete: (type, ref, options) =>
        seen('delete', type, ref.namespace, undefined, () => api.delete(type, ref, options)),
    };
  }

  /** Rules that calls lacked lately, one text each: what and the way out. */
  missing(): string[] {
    const nowMs = this.#options.clock.monotonicMs();
    const texts = new Set<string>();
    for (const [key, { rule, seenAtMs }] of this.#missing) {
      if (nowMs - seenAtMs > rememberMs) this.#allowed(key);
      else texts.add(`may not ${ruleText(rule)}: ${ruleRemedy(rule)}`);
    }
    return [...texts].sort();
  }

  #refused(key: string, rule: MissingRule): void {
    const { clock, log, observer } = this.#options;
    const known = this.#missing.get(key);
    observer.count('permission_refusals_total', labelsOf(rule));
    if (known !== undefined && ruleText(known.rule) === ruleText(rule)) {
      known.seenAtMs = clock.monotonicMs();
      return;
    }
    if (known !== undefined) this.#allowed(key);
    if (this.#missing.size >= maxRemembered) return;
    this.#missing.set(key, { rule, seenAtMs: clock.monotonicMs() });
    observer.gauge('permission_missing', 1, labelsOf(rule));
    log.error(`the operator may not ${ruleText(rule)}: ${ruleRemedy(rule)}`, labelsOf(rule));
  }

  #allowed(key: string): void {
    const known = this.#missing.get(key);
    if (known === undefined) return;
    this.#missing.delete(key);
    const text = ruleText(known.rule);
    if (![...this.#missing.values()].some(({ rule }) => ruleText(rule) === text))
      this.#options.observer.gauge('permission_missing', 0, labelsOf(known.rule));
  }
}

/** Who is told that an object is missing, in conflict or invalid was let in before. */
const wasAuthorized = (error: unknown): boolean =>
  isNotFound(error) || isConflict(error) || isAlreadyExists(error) || isInvalid(error);

const labelsOf = ({ verb, resource, group, namespace }: MissingRule) => ({
  verb,
  resource: group === '' ? resource : `${resource}.${group}`,
  namespace: namespace ?? '',
});

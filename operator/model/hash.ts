/** Hashes: of a revision (its name) and of an applied object (to tell another's edit from our own change). */
import { createHash } from 'node:crypto';
import type { ModelDeploymentSpec } from '../../crds/types.ts';
import { canonicalJson } from './canonical-json.ts';

/** Crockford's alphabet: lower case, no letter that reads as another, valid in every Kubernetes name. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
/** 10 characters are 50 bits: among 1,000 revisions of one name two meet with a chance of 4·10⁻¹⁰. */
const length = 10;

function base32Hash(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  let out = '';
  for (let index = 0; index < length; index++) out += alphabet[(digest[index] ?? 0) & 31];
  return out;
}

/** What a revision is: the blocks that change a prediction or the pod, as the user wrote them, defaults left out. */
export function revisionSource(spec: ModelDeploymentSpec): Record<string, unknown> {
  return { model: spec.model, runtime: spec.runtime, contract: spec.contract };
}

/** Hash of a revision; equal specs give equal names on every machine and in every release. */
export const revisionHash = (spec: ModelDeploymentSpec): string =>
  base32Hash(canonicalJson(revisionSource(spec)));

/** Digests of what caches hold: frozen through and through, so the digest of one is its digest for good. */
const remembered = new WeakMap<object, string>();

function digestOf(value: unknown): string {
  const frozen = typeof value === 'object' && value !== null && Object.isFrozen(value);
  const known = frozen ? remembered.get(value) : undefined;
  if (known !== undefined) return known;
  const digest = base32Hash(canonicalJson(value));
  if (frozen) remembered.set(value, digest);
  return digest;
}

/**
 * Hash of a child as Ballast applies it. Its bulk, a stored revision or pod template, goes in as a digest: at each
 * reconcile it is the same frozen object, and is hashed once.
 */
export function childHash(child: object): string {
  const { data, spec, ...rest } = child as { data?: unknown; spec?: { template?: unknown } };
  const small: Record<string, unknown> = { ...rest, spec };
  if (data !== undefined) small.data = digestOf(data);
  if (spec?.template !== undefined) small.spec = { ...spec, template: digestOf(spec.template) };
  return base32Hash(canonicalJson(small));
}

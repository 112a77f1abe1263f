/** Names of ReplicaSets: a short hash of the pod template, in letters that spell no words. */
import type { PodTemplateSpec } from '../../../kube/objects.ts';

export const templateHashLabel = 'pod-template-hash';

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** JSON with sorted keys, so that equal templates give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`)
      .join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}

/** Value of the label `pod-template-hash`; the collision count makes another one when a name is taken. */
export function templateHash(template: PodTemplateSpec, collisionCount: number): string {
  const text = canonicalJson(template) + (collisionCount === 0 ? '' : String(collisionCount));
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('');
}

/** True when two templates make the same pods: the hash label is not part of the question. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  const bare = (template: PodTemplateSpec) => {
    const { [templateHashLabel]: _hash, ...labels } = template.metadata?.labels ?? {};
    const { creationTimestamp: _created, ...metadata } = template.metadata ?? {};
    return canonicalJson({ ...template, metadata: { ...metadata, labels } });
  };
  return bare(a) === bare(b);
}

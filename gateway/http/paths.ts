/** What a request is by its path alone. */

const infer = /^\/v2\/models\/[^/?#]+(?:\/versions\/[^/?#]+)?\/infer\/?(?:[?#]|$)/;
const predict = /^\/v1\/models\/[^/?#:]+(?:\/versions\/[^/?#:]+)?:predict\/?(?:[?#]|$)/;
const probe = /^\/v2\/(?:health\/(live|ready)|models\/[^/?#]+(?:\/versions\/[^/?#]+)?\/ready)\/?(?:[?#]|$)/;

/** The path of a target: one that names a host too is sent on without it, and means the same. */
const pathOf = (url: string): string => (url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, ''));

/** Inference: what waits for a slot and counts as load. */
export const isInference = (method: string | undefined, url: string): boolean => {
  if (method !== 'POST') return false;
  const path = pathOf(url);
  return infer.test(path) || predict.test(path);
};

/** A question whether the server lives or the model is ready. */
export const probeOf = (method: string | undefined, url: string): 'live' | 'ready' | undefined => {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const match = probe.exec(pathOf(url));
  if (match === null) return undefined;
  return match[1] === 'live' ? 'live' : 'ready';
};

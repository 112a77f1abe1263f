/** What a request is by its path alone. */

const infer = /^\/v2\/models\/[^/?#]+(?:\/versions\/[^/?#]+)?\/infer\/?(?:[?#]|$)/;
const predict = /^\/v1\/models\/[^/?#:]+(?:\/versions\/[^/?#:]+)?:predict\/?(?:[?#]|$)/;
const probe = /^\/v2\/(?:health\/(live|ready)|models\/[^/?#]+(?:\/versions\/[^/?#]+)?\/ready)\/?(?:[?#]|$)/;

/** Inference: what waits for a slot and counts as load. */
export const isInference = (method: string | undefined, url: string): boolean =>
  method === 'POST' && (infer.test(url) || predict.test(url));

/** A question whether the server lives or the model is ready. */
export const probeOf = (method: string | undefined, url: string): 'live' | 'ready' | undefined => {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const match = probe.exec(url);
  if (match === null) return undefined;
  return match[1] === 'live' ? 'live' : 'ready';
};

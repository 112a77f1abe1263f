/** Recognises the infer path without express: it is the one that must be fast. */

export interface InferRoute {
  readonly model: string;
  readonly version: string | undefined;
}

const pattern = /^\/v2\/models\/([^/?#]+)(?:\/versions\/([^/?#]+))?\/infer\/?(?:[?#].*)?$/;

/** Undefined when the path is not an infer path. A name that is no valid percent-encoding stays as it is written. */
export const matchInfer = (url: string | undefined): InferRoute | undefined => {
  const match = pattern.exec(url ?? '');
  if (match === null) return undefined;
  return { model: decode(match[1] ?? ''), version: match[2] === undefined ? undefined : decode(match[2]) };
};

const decode = (part: string): string => {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** Recognises the paths of inference without express: they are the ones that must be fast. */

export interface InferRoute {
  readonly model: string;
  readonly version: string | undefined;
}

const pattern = /^\/v2\/models\/([^/?#]+)(?:\/versions\/([^/?#]+))?\/infer\/?(?:[?#].*)?$/;

const predictPattern = /^\/v1\/models\/([^/?#:]+)(?:\/versions\/([^/?#:]+))?:predict\/?(?:[?#].*)?$/;

/** Undefined when the path is not an infer path. A name that is no valid percent-encoding stays as it is written. */
export const matchInfer = (url: string | undefined): InferRoute | undefined => matched(pattern, url);

/** The same for KServe's V1 path. */
export const matchPredict = (url: string | undefined): InferRoute | undefined => matched(predictPattern, url);

const matched = (form: RegExp, url: string | undefined): InferRoute | undefined => {
  const match = form.exec(url ?? '');
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

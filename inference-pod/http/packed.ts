/** Compresses large answers for callers that take them so. */
import { promisify } from 'node:util';
import { constants, deflate, gzip } from 'node:zlib';

const packers = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;

/** Below this an answer costs less to send than to compress; most clients offer to unpack without need. */
const worthIt = 65_536;

/** The encoding that a caller takes, by the text of its Accept-Encoding: gzip before deflate. */
const encodingFor = (accepted: string): keyof typeof packers | undefined => {
  const weights = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    const weight = parameters.find((text) => text.startsWith('q='))?.slice(2);
    weights.set(name, weight === undefined ? 1 : Number(weight));
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0;
  if (weightOf('gzip') > 0 && weightOf('gzip') >= weightOf('deflate')) return 'gzip';
  return weightOf('deflate') > 0 ? 'deflate' : undefined;
};

interface Answer {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** The answer, compressed where that is asked for and worth it. */
export const packed = (answer: Answer, accepted: string | string[] | undefined): Answer | Promise<Answer> => {
  if (answer.body.length < worthIt || accepted === undefined) return answer;
  const encoding = encodingFor(String(accepted));
  if (encoding === undefined) return answer;
  // The fastest level: what is saved on the wire must not be lost in computing.
  return packers[encoding](answer.body, { level: constants.Z_BEST_SPEED }).then((body) => ({
    body,
    headers: { ...answer.headers, 'content-encoding': encoding, vary: 'accept-encoding' },
  }));
};

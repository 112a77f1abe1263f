/** The caller of one inference request, whatever brings it: what an exchange reads of it, and the way back. */
import type { AnswerOptions } from './answer.ts';
import type { OnBytes } from './body.ts';

/** Headers by their lower-case names. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface Client {
  readonly method: string | undefined;
  readonly headers: RequestHeaders;
  /** The same object for all requests of one connection. */
  readonly connection: object;
  /** False while it is still sending. */
  readonly isComplete: boolean;
  /** The whole body, uncompressed, of at most `limit` bytes; `onBytes` is told what it takes and may throw. */
  readBody(limit: number, onBytes: OnBytes): Buffer | Promise<Buffer>;
  /** Called when the connection ends, with an answer or without. */
  onClose(handler: () => void): void;
  /** Answers, once. */
  answer(status: number, body: Buffer, options: AnswerOptions): void;
  /** Closes the connection without an answer. */
  drop(): void;
}

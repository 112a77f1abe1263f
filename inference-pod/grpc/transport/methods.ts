/** Methods of the usual kind: one small question, one answer. */
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Method } from './rpc.ts';

/** A question of this kind names a model or less. */
const smallBytes = 65_536;

/** A method that answers at once; the answer leaves room for its prefix, and what is thrown refuses. */
export const unary = (answer: (request: Buffer) => Buffer): Method => ({
  maxBytes: smallBytes,
  open: (rpc) => {
    let request: Buffer | undefined;
    return {
      message: (bytes) => {
        if (request !== undefined) throw new ProtocolError(400, 'more than one message came');
        request = bytes;
      },
      ended: () => {
        if (request === undefined) throw new ProtocolError(400, 'no message came');
        rpc.answer(answer(request));
      },
    };
  },
});

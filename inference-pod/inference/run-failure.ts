/** What a caller is told when the model failed. */
import { messageOf, ProtocolError } from '../../protocol/errors.ts';

/** onnxruntime blames the caller's shapes in these words; everything else is the model's failure. */
const callersFault = /Got invalid dimensions for input|Invalid rank for input|Unexpected input data type/;

/** The refusal that a failed run becomes; refusals stay what they are. */
export const runFailure = (error: unknown): ProtocolError => {
  if (error instanceof ProtocolError) return error;
  const text = messageOf(error);
  const message = text.split('\n')[0] ?? '';
  return new ProtocolError(
    callersFault.test(message) ? 400 : 500,
    `the model failed: ${message.slice(0, 1000)}`,
  );
};

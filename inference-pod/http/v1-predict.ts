/** `POST /v1/models/NAME:predict`: KServe's V1 protocol as an edge of the inference service. */
import { atOnce, inTurns } from '../../protocol/turns.ts';
import { decodeV1Steps, encodeV1Steps, type V1Request } from '../../protocol/v1.ts';
import {
  createEdgeHandler,
  type EdgeWork,
  type InferContext,
  type InferHandler,
  isLargeAnswer,
  isLargeBody,
} from './exchange.ts';
import { turn } from './turn.ts';

const headers = Object.freeze({ 'content-type': 'application/json' });

const workOf = ({ request, isColumnar }: V1Request): EdgeWork => ({
  work: { inputs: request.inputs, outputs: request.outputNames, parameters: request.parameters },
  write: ({ outputs }) => {
    const steps = encodeV1Steps(outputs, isColumnar);
    return isLargeAnswer(outputs)
      ? inTurns(steps, turn).then((body) => ({ body, headers }))
      : { body: atOnce(steps), headers };
  },
});

/** Makes the handler. */
export const createPredictHandler = (context: InferContext): InferHandler =>
  createEdgeHandler(context, {
    protocol: 'v1',
    read: (body, model) => {
      const steps = decodeV1Steps(body, model);
      return isLargeBody(body) ? inTurns(steps, turn).then(workOf) : workOf(atOnce(steps));
    },
  });

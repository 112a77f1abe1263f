/** V1 requests: what is no JSON is never read, and what is read is never lost. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ModelSignature } from './datatypes.ts';
import { ProtocolError } from './errors.ts';
import { atOnce } from './turns.ts';
import { decodeV1Steps, encodeV1Steps } from './v1.ts';

const model: ModelSignature = {
  name: 'm',
  inputs: [
    { name: 'a', datatype: 'FP64', shape: [-1, 2] },
    { name: 'b', datatype: 'BYTES', shape: [-1, 1] },
  ],
  outputs: [],
};
const decode = (text: string) => atOnce(decodeV1Steps(Buffer.from(text), model));
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const rows = fc.array(fc.record({ a: fc.tuple(finite, finite), b: fc.tuple(fc.string()) }), { minLength: 1 });

test('rows and columns read the same, and are written as they were read', () => {
  fc.assert(
    fc.property(rows, (given) => {
      const columns = { a: given.map(({ a }) => a), b: given.map(({ b }) => b) };
      const { inputs } = decode(JSON.stringify({ instances: given })).request;
      for (const body of [{ inputs: columns }, { instances: columns }])
        expect(decode(JSON.stringify(body)).request.inputs).toEqual(inputs);
      expect(JSON.parse(atOnce(encodeV1Steps(inputs, false)).toString())).toEqual({
        predictions: JSON.parse(JSON.stringify(given)) as unknown,
      });
      expect(JSON.parse(atOnce(encodeV1Steps(inputs, true)).toString())).toEqual({
        outputs: JSON.parse(JSON.stringify(columns)) as unknown,
      });
    }),
    { numRuns: 60 },
  );
});

test('damaged bodies are refused with a 400, or are JSON all the same', () => {
  const damage = fc.tuple(fc.nat(), fc.constantFrom('', ...'{}[],:"\\ 0-.e\u0001'), fc.nat({ max: 2 }));
  fc.assert(
    fc.property(rows, damage, (given, [at, put, removed]) => {
      const text = JSON.stringify({ instances: given });
      const place = at % (text.length + 1);
      const damaged = text.slice(0, place) + put + text.slice(place + removed);
      let refusal: unknown;
      try {
        decode(damaged);
      } catch (error) {
        refusal = error;
      }
      if (refusal === undefined) JSON.parse(damaged);
      else if (!(refusal instanceof ProtocolError) || refusal.status !== 400) throw refusal;
    }),
    { numRuns: 1500 },
  );
});

/** The offline check gives the verdicts and the words of the API servers, from the same tables. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { lintCommand } from '../../cli/lint/command.ts';
import { groupVersion, kind } from '../../crds/constants.ts';
import { manifestProblems, modelDeploymentSchema, specErrors } from '../../crds/manifest-check.ts';
import { accepted } from '../conformance/support/accepted-models.ts';
import { refused } from '../conformance/support/refused-models.ts';

const root = join(import.meta.dirname, '..', '..');
const manifest = (spec: object | undefined) => ({
  apiVersion: groupVersion,
  kind,
  metadata: { name: 'm', namespace: 'default' },
  ...(spec === undefined ? {} : { spec }),
});

describe('the offline check', () => {
  test.each(refused)('refuses %s with the words of a real API server', (_name, spec, causes) => {
    const schema = modelDeploymentSchema();
    const errors = specErrors(schema.applyDefaults(schema.prune(manifest(spec))));
    const said = errors.map(({ field, reason, body }) => `${field} | ${reason} | ${body}`);
    // A path with a leading dot is the scale subresource's, which only a server has.
    const wanted = causes.filter((cause) => !cause.startsWith('.'));
    expect(said.sort()).toEqual(wanted.sort());
  });

  test.each(accepted)('takes %s', (_name, spec) => {
    expect(manifestProblems(manifest(spec))).toEqual([]);
  });

  test('names an unknown field', () => {
    const problems = manifestProblems(manifest({ model: { uri: 'https://h/m.onnx', digest: 'x' } }));
    expect(problems).toEqual(['unknown field "spec.model.digest"']);
  });

  test('allows the replicas of mode SLA to stay and not to change', () => {
    const whole = (replicas: number) =>
      manifest({ model: { uri: 'https://h/m.onnx' }, scaling: { mode: 'SLA', replicas } });
    expect(specErrors(whole(3), whole(3))).toEqual([]);
    expect(specErrors(whole(4), whole(3))).toHaveLength(1);
  });
});

describe('ballast lint', () => {
  const lint = async (...files: string[]) => {
    let text = '';
    const code = await lintCommand(files, { write: (part) => (text += part) });
    return { code, text };
  };

  test('finds every sample good', async () => {
    const files = readdirSync(join(root, 'samples'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('modeldeployment.yaml'))
      .map((file) => join(root, 'samples', file));
    expect(files.length).toBeGreaterThanOrEqual(4);
    const { code, text } = await lint(...files);
    expect([code, text.match(/: good\n/g)?.length]).toEqual([0, files.length]);
  });

  test('says which file cannot be read', async () => {
    expect(await lint('/nowhere.yaml')).toMatchObject({
      code: 2,
      text: expect.stringContaining('/nowhere.yaml'),
    });
  });
});

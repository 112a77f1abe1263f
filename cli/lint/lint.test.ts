import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { lintCommand } from './command.ts';
import { hintFor } from './hints.ts';

const folder = mkdtempSync(join(tmpdir(), 'ballast-lint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lint = async (...paths: string[]) => {
  let text = '';
  const code = await lintCommand(
    paths.map((path) => join(folder, path)),
    { write: (part) => (text += part) },
  );
  return { code, text: text.replaceAll(`${folder}/`, '') };
};
const manifest = (spec: string, kind = 'ModelDeployment') =>
  `apiVersion: ballast.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: a }\nspec: ${spec}\n`;

test.each([
  ['a letter too few', 'unknown field "spec.scaling.maxReplica"', 'did you mean maxReplicas or minReplicas?'],
  ['another word', 'unknown field "spec.model.url"', 'did you mean uri?'],
  ['the right name in the wrong place', 'unknown field "spec.sla.p95"', 'there is spec.sla.latency.p95'],
  [
    'a name that no field has',
    'unknown field "spec.rollout.canary"',
    'spec.rollout has progressDeadline, revisionHistoryLimit, restartedAt',
  ],
  ['one in a list', 'unknown field "spec.scaling.schedule[0].timeZone"', 'did you mean timezone?'],
  ['one beside spec', 'unknown field "specs"', 'did you mean spec?'],
])('%s: %s', (_, problem, hint) => expect(hintFor(problem)).toBe(hint));

test('what a pattern refuses comes with what the field takes, a rule speaks for itself', () => {
  const pattern =
    'spec.scaling.schedule[1].from: Invalid value: "8": spec.scaling.schedule[1].from in body should match';
  expect(hintFor(pattern)).toBe('Begin of the window, `HH:MM` in 24 hours. Example: `08:00`.');
  expect(hintFor('spec.model.uri: Required value')).toMatch(
    /^Where the model file is\. `https:.+pod image brings\)\.$/,
  );
  expect(hintFor('spec.scaling.minReplicas: Invalid value: minReplicas is 5 and maxReplicas is 3')).toBe(
    undefined,
  );
});

test.each([
  [
    's3://models/m.onnx',
    's3:// is not read: serve the file at an https:// address, or put it on a volume (pvc://CLAIM/PATH)',
  ],
  ['http://models/m.onnx', 'models are not fetched over plain http: write https://'],
  ['HTTPS://models/m.onnx', 'write https:// in lower case'],
])('an address that is not read, %s, comes with the way out', async (uri, hint) => {
  writeFileSync(join(folder, 'scheme.yaml'), manifest(`{ model: { uri: "${uri}" } }`));
  expect((await lint('scheme.yaml')).text.split('\n')[2]?.trim()).toBe(hint);
});

test('a folder stands for the manifests in it; what is left unchecked is no problem of its own', async () => {
  mkdirSync(join(folder, 'all/deeper'), { recursive: true });
  writeFileSync(join(folder, 'all/b.yaml'), manifest('{ model: { uri: "file:///samples/m.onnx" } }'));
  writeFileSync(join(folder, 'all/a.yml'), manifest('{ model: { uri: 5 } }'));
  writeFileSync(join(folder, 'all/notes.txt'), 'no: manifest');
  const { code, text } = await lint('all');
  expect(code).toBe(1);
  expect(text.split('\n').map((line) => line.slice(0, 40))).toEqual([
    'all/a.yml: a: 1 problem',
    '  spec.model.uri: Invalid value: "intege',
    expect.stringMatching(/^ {6}Where the model file is\./),
    '  and what only shows when these are men',
    'all/b.yaml: a: good',
    '',
  ]);
  expect(await lint('all/deeper')).toEqual({
    code: 2,
    text: 'all/deeper: no .yaml, .yml or .json file in it\n',
  });
});

test('a kind that is nearly right is not passed over', async () => {
  writeFileSync(join(folder, 'kind.yaml'), manifest('{ model: { uri: "file:///m" } }', 'modeldeployment'));
  writeFileSync(join(folder, 'other.yaml'), 'apiVersion: v1\nkind: ConfigMap\n');
  expect(await lint('kind.yaml', 'other.yaml')).toEqual({
    code: 1,
    text: `kind.yaml: a: 1 problem
  apiVersion and kind must be ballast.dev/v1alpha1 and ModelDeployment, not ballast.dev/v1alpha1 and modeldeployment
other.yaml: no ModelDeployment in it
`,
  });
});

test('of a List, as kubectl get writes it, every item is judged', async () => {
  const item = (name: string, uri: string) =>
    `- { apiVersion: ballast.dev/v1alpha1, kind: ModelDeployment, metadata: { name: ${name} }, spec: { model: { uri: "${uri}" } } }\n`;
  const list = `apiVersion: v1\nkind: List\nitems:\n${item('a', 'file:///samples/m.onnx')}${item('b', 's3://x/m.onnx')}`;
  writeFileSync(join(folder, 'list.yaml'), list);
  const { code, text } = await lint('list.yaml');
  expect(code).toBe(1);
  expect(text).toContain('list.yaml: a: good\n');
  expect(text).toContain('list.yaml: b: 1 problem\n  spec.model.uri: Invalid value: "s3://x/m.onnx"');
});

test.each([
  [
    'a time zone that nobody knows',
    'model: { uri: "https://a/m.onnx" }, scaling: { schedule: [{ from: "08:00", to: "10:00", timezone: Mars/Base, minReplicas: 2 }] }',
    'spec.scaling.schedule.0.timezone: "Mars/Base" is no time zone that is known here: write an IANA name as Europe/Berlin, or remove it for UTC',
  ],
  [
    'a window above the maximum',
    'model: { uri: "https://a/m.onnx" }, scaling: { maxReplicas: 4, schedule: [{ from: "08:00", to: "10:00", minReplicas: 5 }] }',
    'spec.scaling.schedule.0.minReplicas: 5 is more than maxReplicas 4: lower it, or raise scaling.maxReplicas',
  ],
  [
    'a claim without a file',
    'model: { uri: "pvc://claim" }',
    'spec.model.uri: "pvc://claim" names no file: write pvc://CLAIM/PATH/OF/model.onnx',
  ],
  [
    'a toleration that Kubernetes refuses',
    'model: { uri: "https://a/m.onnx" }, runtime: { pod: { tolerations: [{ key: gpu, operator: Exists, value: "yes" }] } }',
    'spec.runtime.pod.tolerations.0: Exists takes no value: remove value, or write operator: Equal',
  ],
])('what only the operator would refuse is told before it runs: %s', async (_, spec, problem) => {
  writeFileSync(join(folder, 'operator.yaml'), manifest(`{ ${spec} }`));
  expect(await lint('operator.yaml')).toEqual({
    code: 1,
    text: `operator.yaml: a: 1 problem\n  ${problem}\n`,
  });
});

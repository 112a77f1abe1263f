import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, container, pod } from './support/objects.ts';
import { at, said, warnings } from './support/words.ts';

const api = await openCluster();

describe('fieldValidation', () => {
  const odd = { ...configMap('odd'), surprise: 1 };
  const oddPod = (name: string) => ({
    ...pod(name, { containers: [container('main', 'i', { imagePolicy: 'x' })], surpise: 1 }),
  });

  test('Strict refuses unknown fields and names them', async () => {
    const answer = await api.post(api.path('configmaps'), odd, { fieldValidation: 'Strict' });
    expect(said(answer)).toBe(
      '400 BadRequest: ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "surprise"',
    );
  });

  test('Strict names every unknown field with its path', async () => {
    const answer = await api.post(api.path('pods'), oddPod('odd'), { fieldValidation: 'Strict' });
    expect(said(answer)).toBe(
      '400 BadRequest: Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagePolicy", unknown field "spec.surpise"',
    );
  });

  test('Warn, the default, takes them with a warning each', async () => {
    const answer = await api.post(api.path('pods'), oddPod('warned'));
    expect(answer.status).toBe(201);
    expect(warnings(answer)).toEqual([
      'unknown field "spec.containers[0].imagePolicy"',
      'unknown field "spec.surpise"',
    ]);
    expect(at(answer.body, 'spec.surpise')).toBeUndefined();
  });

  test('Ignore takes them silently', async () => {
    const answer = await api.post(api.path('pods'), oddPod('ignored'), { fieldValidation: 'Ignore' });
    expect([answer.status, warnings(answer)]).toEqual([201, []]);
  });

  test('Strict finds a key that is there twice', async () => {
    const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"dup"},"data":{"a":"1","a":"2"}}';
    const answer = await api.post(api.path('configmaps'), body, { fieldValidation: 'Strict' });
    expect(said(answer)).toBe(
      '400 BadRequest: ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"',
    );
  });

  test('Strict finds them in a merge patch', async () => {
    await api.post(api.path('configmaps'), configMap('patched'));
    const answer = await api.mergePatch(
      api.path('configmaps', 'patched'),
      { surprise: 1 },
      { fieldValidation: 'Strict' },
    );
    expect(said(answer)).toMatch(/^422 Invalid: .*unknown field "surprise"/);
  });

  test('another word is refused', async () => {
    const answer = await api.post(api.path('configmaps'), configMap('word'), { fieldValidation: 'Harsh' });
    expect(said(answer)).toMatch(
      /^422 Invalid: .*fieldValidation: Unsupported value: "Harsh": supported values: "", "Ignore", "Strict", "Warn"/,
    );
  });
});

describe('bodies', () => {
  test('that are no JSON are refused', async () => {
    const answer = await api.post(api.path('configmaps'), '{"apiVersion":');
    expect(answer.status).toBe(400);
    expect(answer.body.reason).toBe('BadRequest');
  });

  test('in YAML are taken', async () => {
    const answer = await api.send('POST', api.path('configmaps'), {
      contentType: 'application/yaml',
      body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n',
    });
    expect([answer.status, answer.body.data]).toEqual([201, { a: '1' }]);
  });

  test('of an unknown content type are 415', async () => {
    const answer = await api.send('POST', api.path('configmaps'), { contentType: 'text/html', body: '<p>' });
    expect([answer.status, answer.body.reason]).toEqual([415, 'UnsupportedMediaType']);
    expect(answer.body.message).toMatch(
      /^the body of the request was in an unknown format - accepted media types include: /,
    );
  });

  test('without kind take it from the path', async () => {
    const answer = await api.post(api.path('configmaps'), { metadata: { name: 'kindless' } });
    expect([answer.status, answer.body.kind]).toEqual([201, 'ConfigMap']);
  });

  test('cannot be answered in a form that nobody knows', async () => {
    const answer = await api.send('GET', api.path('configmaps'), { accept: 'text/html' });
    expect(answer.status).toBe(406);
  });

  test('can be answered as YAML', async () => {
    const answer = await api.send('GET', api.path('configmaps', 'yaml'), { accept: 'application/yaml' });
    expect(answer.headers['content-type']).toContain('application/yaml');
    expect(answer.text).toContain('kind: ConfigMap');
  });
});

/** `/`, `/openapi.json` and `/example.json` of a pod that serves: what they give works as it stands. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Datatype } from '../../../protocol/datatypes.ts';
import { everyDatatype, identity, twoInputs } from '../../testing/models.ts';
import { serveModel, type TestPod } from '../../testing/pod.ts';

let pod: TestPod;
let every: TestPod;
const jsonTypes: Datatype[] = ['BOOL', 'UINT8', 'UINT16', 'INT8', 'INT32', 'INT64', 'FP32', 'FP64', 'BYTES'];
beforeAll(async () => {
  pod = await serveModel(twoInputs(), { env: { BALLAST_MODEL_VERSION: 'v10', BALLAST_REVISION: 'rev1' } });
  every = await serveModel(everyDatatype(jsonTypes), { env: { BALLAST_MODEL_VERSION: '1' } });
});
afterAll(async () => {
  await pod.stop();
  await every.stop();
});

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const get = (path: string, accept?: string) =>
  fetch(`${pod.url}${path}`, accept === undefined ? {} : { headers: { accept } });

describe('GET /', () => {
  test('a program gets JSON', async () => {
    const response = await get('/');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('vary')).toBe('accept');
    expect(await response.json()).toMatchObject({
      name: 'm',
      version: 'v10',
      revision: 'rev1',
      sha256: (await pod.load()).modelSha256,
      ready: true,
      inputs: [{ name: 'a', datatype: 'FP32', shape: [-1, 2] }, { name: 'b' }, { name: 'n' }],
      outputs: [{ name: 'sum' }, { name: 'count' }],
      links: { openapi: 'openapi.json' },
    });
  });
  test('a browser gets a page that may run nothing but its own script', async () => {
    const response = await get('/', browser);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const page = await response.text();
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toContain('unsafe');
    for (const tag of ['script', 'style']) {
      const text = new RegExp(`<${tag}>([^\\0]*?)</${tag}>`).exec(page)?.[1] ?? '';
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    }
  });
  test('the command on the page works in a shell', async () => {
    const page = await (await get('/', browser)).text();
    const escaped = /<pre id="command"[^>]*>([\s\S]*?)<\/pre>/.exec(page)?.[1] ?? '';
    const command = escaped
      .replaceAll('&#39;', "'")
      .replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&');
    expect(command).toMatch(/^curl /);
    // The pod lives in this process: waiting for curl must not stop it, so the shell only tells its words.
    const words = spawnSync('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${command}`], {
      encoding: 'utf8',
    });
    const [, url = '', , header, , body = ''] = words.stdout.split('\0');
    expect(header).toBe('content-type: application/json');
    const answer = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
  });
  test('an image has an example too, which is fetched instead of shown', async () => {
    const image = await serveModel(identity('FP32', ['N', 3, 64, 64]));
    const page = await (await fetch(image.url, { headers: { accept: browser } })).text();
    expect(page).toContain('/example.json&#39; | curl -s ');
    expect(page).not.toContain('<textarea');
    expect(page.length).toBeLessThan(20_000);
    const example = await (await fetch(`${image.url}/example.json`)).text();
    expect(example.length).toBeGreaterThan(3 * 64 * 64);
    expect((await image.infer(example)).status).toBe(200);
    await image.stop();
  });
  test('a Host that is none does not come back', async () => {
    const page = await (await get('/', browser)).text();
    expect(page).toContain(`data-base="${pod.url}/"`);
    const { request } = process.getBuiltinModule('node:http');
    const text = await new Promise<string>((resolve, reject) => {
      const sent = request(
        `${pod.url}/`,
        { headers: { host: 'a$(touch)"<b>', accept: browser } },
        (response) => {
          let all = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            all += chunk;
          });
          response.on('end', () => resolve(all));
        },
      );
      sent.once('error', reject);
      sent.end();
    });
    expect(text).toContain('data-base="http://localhost:8080/"');
    expect(text).not.toContain('$(touch)');
  });
  test.each(['/', '/openapi.json', '/example.json'])('%s answers GET only', async (path) => {
    expect((await fetch(`${pod.url}${path}`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${pod.url}${path}`, { method: 'HEAD' })).status).toBe(200);
  });
});

describe('/openapi.json', () => {
  interface Schema {
    readonly [key: string]: unknown;
  }
  interface Document {
    readonly paths: Record<
      string,
      { post?: { requestBody: { content: Record<string, { example: unknown }> } } }
    >;
    readonly components: { readonly schemas: Record<string, Schema> };
  }
  const documentOf = async (served: TestPod) =>
    (await (await fetch(`${served.url}/openapi.json`)).json()) as Document;
  /** Checks values against a schema of the document. */
  const checker = (document: Document) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document as unknown as Schema, 'doc');
    return (name: string, value: unknown) => {
      const validate = ajv.getSchema(`doc#/components/schemas/${name}`);
      return validate?.(value) === true ? [] : (validate?.errors ?? ['no such schema']);
    };
  };
  /** The least that a schema allows. */
  const least = (document: Document, schema: Schema): unknown => {
    const node = schema as {
      $ref?: string;
      const?: unknown;
      anyOf?: Schema[];
      allOf?: { contains: Schema }[];
      type?: string;
      required?: string[];
      properties?: Record<string, Schema>;
      prefixItems?: Schema[];
      items?: Schema;
      minItems?: number;
    };
    if (node.$ref !== undefined)
      return least(document, document.components.schemas[node.$ref.split('/').pop() ?? ''] ?? {});
    if (node.const !== undefined) return node.const;
    if (node.anyOf !== undefined) return least(document, node.anyOf[0] ?? {});
    if (node.type === 'object')
      return Object.fromEntries(
        (node.required ?? []).map((name) => [name, least(document, node.properties?.[name] ?? {})]),
      );
    if (node.type === 'array') {
      if (node.allOf !== undefined) return node.allOf.map(({ contains }) => least(document, contains));
      if (node.prefixItems !== undefined) return node.prefixItems.map((item) => least(document, item));
      return Array.from({ length: node.minItems ?? 0 }, () => least(document, node.items ?? {}));
    }
    return node.type === 'string' ? '' : node.type === 'boolean' ? false : 0;
  };

  test('is valid OpenAPI 3.1', async () => {
    for (const served of [pod, every]) {
      const document = await documentOf(served);
      const validator = new Validator();
      expect(await validator.validate(document as unknown as Record<string, unknown>)).toEqual({
        valid: true,
      });
      expect(validator.version).toBe('3.1');
    }
  });
  test('a request made from its schemas is answered 200, and the answer is what they say', async () => {
    for (const served of [pod, every]) {
      const document = await documentOf(served);
      const check = checker(document);
      const made = least(document, { $ref: '#/components/schemas/InferRequest' });
      expect(check('InferRequest', made)).toEqual([]);
      const { status, body } = await served.infer(made);
      expect({ status, problems: check('InferAnswer', body) }).toEqual({ status: 200, problems: [] });
    }
  });
  test('its example is valid and answered 200', async () => {
    for (const served of [pod, every]) {
      const document = await documentOf(served);
      const check = checker(document);
      const example =
        document.paths['/v2/models/m/infer']?.post?.requestBody.content['application/json']?.example;
      expect(check('InferRequest', example)).toEqual([]);
      const { status, body } = await served.infer(example);
      expect({ status, problems: check('InferAnswer', body) }).toEqual({ status: 200, problems: [] });
      expect(await (await fetch(`${served.url}/example.json`)).json()).toEqual(example);
    }
  });
  test('the example in the V1 protocol is answered 200 too', async () => {
    for (const served of [pod, every]) {
      const document = await documentOf(served);
      const check = checker(document);
      const example =
        document.paths['/v1/models/m:predict']?.post?.requestBody.content['application/json']?.example;
      expect(check('PredictRequest', example)).toEqual([]);
      const response = await fetch(`${served.url}/v1/models/m:predict`, {
        method: 'POST',
        body: JSON.stringify(example),
      });
      expect(response.status).toBe(200);
      expect(check('PredictAnswer', await response.json())).toEqual([]);
    }
  });
  test('what the pod refuses, the schema refuses', async () => {
    const document = await documentOf(pod);
    const check = checker(document);
    const good = (await (await get('/example.json')).json()) as { inputs: Record<string, unknown>[] };
    const [a, ...rest] = good.inputs;
    for (const inputs of [
      rest,
      [...good.inputs, a],
      [{ ...a, name: 'other' }, ...rest],
      [{ ...a, datatype: 'INT8' }, ...rest],
      [{ ...a, shape: [1, 3], data: [1, 2, 3] }, ...rest],
      [{ ...a, data: ['x', 'y'] }, ...rest],
    ]) {
      expect((await pod.infer({ inputs })).status).toBe(400);
      expect(check('InferRequest', { inputs })).not.toEqual([]);
    }
  });
  test('the rest of its paths answer as they say', async () => {
    const document = await documentOf(pod);
    const check = checker(document);
    for (const path of Object.keys(document.paths).filter((one) => !/infer$|:predict$/.test(one)))
      expect((await get(path)).status).toBe(200);
    expect(check('ModelMetadata', await (await get('/v2/models/m')).json())).toEqual([]);
    expect(check('Statistics', await (await get('/v2/models/m/stats')).json())).toEqual([]);
    expect(check('ServerMetadata', await (await get('/v2')).json())).toEqual([]);
  });
});

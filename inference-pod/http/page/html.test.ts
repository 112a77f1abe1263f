import { expect, test } from '@jest/globals';
import { exampleRequest, exampleText, inferPath, shellQuoted } from './example.ts';
import { figuresOf, msText } from './figures.ts';
import { escapeHtml, html } from './html.ts';
import { type PageContent, renderPage } from './page.ts';

const nasty = `<script>alert(1)</script>"'&\u0000\u202e</textarea>`;
const content = (fields: Partial<PageContent> = {}): PageContent => ({
  name: nasty,
  version: nasty,
  revision: nasty,
  sha256: nasty,
  serverVersion: nasty,
  inputs: [{ name: nasty, datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: nasty, datatype: 'INT64', shape: [], labels: [nasty, 'b'] }],
  unreadiness: { reason: nasty, message: nasty },
  example: exampleRequest(
    { name: nasty, inputs: [{ name: nasty, datatype: 'FP32', shape: [-1, 2] }], outputs: [] },
    2,
  ),
  hasLongExample: false,
  figures: [{ name: 'p50', label: nasty, text: nasty }],
  base: 'http://localhost/',
  ...fields,
});

test('what is put in is escaped, what was made here is not', () => {
  expect(html`<p title="${'"<'}">${nasty}${html`<b>${1}</b>`}${undefined}${[html`<i></i>`]}</p>`.text).toBe(
    '<p title="&quot;&lt;">&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\ufffd\ufffd&lt;/textarea&gt;<b>1</b><i></i></p>',
  );
  expect(escapeHtml('a\tb\nc\u009bd')).toBe('a\tb\nc\ufffdd');
});

test.each([
  ['with a form', content()],
  ['with a long example', content({ example: undefined, hasLongExample: true })],
  ['without an example', content({ example: undefined })],
  ['before the model is known', content({ example: undefined, inputs: [], outputs: [] })],
])('no name of a model or tensor becomes part of the page: %s', (_name, given) => {
  const page = renderPage(given);
  // The page's own script and style are the only ones; a bracket that opens anything else would be one of ours.
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page.match(/<\/script/g)).toHaveLength(1);
  expect(page).not.toContain('alert(1)</');
  const areas = given.example !== undefined ? 1 : 0;
  expect(page.match(/<\/textarea/g) ?? []).toHaveLength(areas);
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  expect(page).not.toMatch(/\son\w+=|style="/);
});

test('names of classes stand beside their output, the first twelve of them', () => {
  const labels = Array.from({ length: 14 }, (_, i) => `c${i}`);
  const page = renderPage(content({ outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 14], labels }] }));
  expect(page).toContain('classes: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 and 2 more');
});

test('an example for every datatype that JSON can carry', () => {
  const example = exampleRequest(
    {
      name: 'm',
      inputs: [
        { name: 'f', datatype: 'FP32', shape: [-1, 3] },
        { name: 'i', datatype: 'INT64', shape: [2] },
        { name: 'b', datatype: 'BOOL', shape: [] },
        { name: 's', datatype: 'BYTES', shape: [-1, -1] },
        { name: 'any', datatype: 'FP64', shape: [], anyShape: true },
      ],
      outputs: [],
    },
    2,
  );
  expect(example?.inputs.map(({ shape, data }) => [shape, data])).toEqual([
    [
      [1, 3],
      [0.1, 0.8, 0.6],
    ],
    [[2], [0, 1]],
    [[], [true]],
    [
      [1, 2],
      ['a', 'b'],
    ],
    [[1], [0.1]],
  ]);
  expect(example && JSON.parse(exampleText(example))).toEqual(example);
});

test.each([
  ['half floats', 'FP16', [1]],
  ['a huge input', 'FP32', [3, 300, 300]],
] as const)('no example for %s', (_name, datatype, shape) => {
  expect(
    exampleRequest({ name: 'm', inputs: [{ name: 'x', datatype, shape }], outputs: [] }, 2),
  ).toBeUndefined();
});

test('words for a shell and a path', () => {
  expect(shellQuoted(`it's $(x)`)).toBe(`'it'\\''s $(x)'`);
  expect(inferPath(`a/b'c`)).toBe('v2/models/a%2Fb%27c/infer');
});

test('figures', () => {
  expect([undefined, 0.5, 12.4, 1500, Number.POSITIVE_INFINITY].map(msText)).toEqual([
    '–',
    '0.5 ms',
    '12 ms',
    '1.5 s',
    'refused',
  ]);
  const figures = figuresOf({
    arrivals: 1234,
    succeeded: 1200,
    rejected: 4,
    failed: 3,
    latency: { boundsMs: [1, 10], counts: [0, 0, 0] },
    capacityRowsPerSecond: 1_234.5,
  });
  expect(Object.fromEntries(figures.map(({ name, text }) => [name, text]))).toEqual({
    requests: '1,234',
    refused: '7',
    p50: '–',
    p95: '–',
    p99: '–',
    capacity: '1,200',
  });
});
